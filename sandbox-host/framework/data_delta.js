// Changes of live data on the wire (spec services §1.6, §1.7), both ways.
//
// `path` says where without doubt. `attribute` says it for peers of the published
// library, which splits it at dots; what comes from such a peer has only that.

/** Members of one path: as deep as the Sync Manager goes. */
const PATH_MAX = 64;

/** Elements that one update may add with nothing in them. */
const GAP_MAX = 262144;

export default function (host) {
  const { isContainer, received, checkKey } = host.data;

  /**
   * @param {import("./data_tree.js").Change} change
   * @returns {object} the members of an update's body that say what changed
   */
  function deltaOf({ path, cType, oType, value, count }) {
    const delta = { attribute: path.join("."), path };
    if (oType === "array") delta.attributeType = "array";
    if (oType === "array" && cType === "add") {
      delta.operation = "add";
      // A list is taken for several elements, so an element that is one is wrapped.
      delta.value = Array.isArray(value) ? [value] : value;
    } else if (cType !== "remove") delta.value = value;
    else if (oType === "array") {
      delta.operation = "remove";
      delta.value = count;
    }
    return delta;
  }

  /**
   * Applies an update to a tree.
   *
   * @returns {import("./data_tree.js").Change[] | undefined} what changed; undefined
   *   when the update does not fit, so that the sender must have had other data
   */
  function apply(tree, delta) {
    const path = pathOf(delta);
    if (path === undefined || path.length > PATH_MAX) return undefined;
    const key = path.at(-1);
    const around = containerAt(tree.raw, path.slice(0, -1));
    if (around === undefined) return undefined;
    const applied = Array.isArray(around) ? applyElement : applyMember;
    return applied(around, path, key, delta);
  }

  function containerAt(raw, path) {
    let at = raw;
    for (const key of path) {
      if (!isContainer(at) || !Object.hasOwn(at, key)) return undefined;
      at = at[key];
    }
    return isContainer(at) ? at : undefined;
  }

  function applyMember(around, path, key, delta) {
    const isThere = Object.hasOwn(around, key);
    if (delta.operation !== undefined) return undefined;
    if (delta.value === undefined) {
      delete around[key];
      return [{ path, cType: "remove", oType: "object" }];
    }
    const value = received(delta.value);
    around[key] = value;
    return [{ path, cType: isThere ? "update" : "add", oType: "object", value }];
  }

  function applyElement(around, path, key, delta) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0) return undefined;
    if (delta.operation === "add") {
      if (index > around.length) return undefined;
      // One level: a list is several elements (spec services §8.3 case 36).
      const values = [received(delta.value)].flat();
      host.data.put(around, index, 0, values);
      const above = path.slice(0, -1);
      return values.map((value, at) => ({ path: [...above, index + at], cType: "add", oType: "array", value }));
    }
    if (delta.operation === "remove") {
      // Published reporters do not say how many: one.
      const count = Number.isInteger(delta.value) ? delta.value : 1;
      if (index + count > around.length) return undefined;
      around.splice(index, count);
      return [{ path, cType: "remove", oType: "array", count }];
    }
    const value = received(delta.value) ?? null;
    const cType = index < around.length ? "update" : "add";
    if (index - around.length > GAP_MAX) return undefined;
    while (around.length < index) around.push(null);
    around[index] = value;
    return [{ path, cType, oType: "array", value }];
  }

  function pathOf({ path, attribute }) {
    const keys = Array.isArray(path) ? path : splitAttribute(attribute);
    if (keys === undefined || keys.length === 0) return undefined;
    try {
      for (const key of keys) if (typeof key !== "number") checkKey(key, () => String(attribute));
    } catch {
      return undefined;
    }
    return keys;
  }

  /**
   * Makes plain data equal to other plain data and keeps what stays the same kind
   * of container, with the proxies that components hold of it.
   */
  function reconcile(raw, fresh) {
    if (Array.isArray(raw)) {
      fresh.forEach((value, at) => void (raw[at] = merged(raw[at], value)));
      raw.length = fresh.length;
      return;
    }
    for (const key of Object.keys(raw)) if (!Object.hasOwn(fresh, key)) delete raw[key];
    for (const key of Object.keys(fresh)) raw[key] = merged(raw[key], fresh[key]);
  }

  function merged(old, fresh) {
    if (!isContainer(old) || !isContainer(fresh) || Array.isArray(old) !== Array.isArray(fresh)) return fresh;
    reconcile(old, fresh);
    return old;
  }

  Object.assign(host.data, { deltaOf, apply, reconcile, splitAttribute });
}

/**
 * The members that a dotted path names. What begins with a URL is one member, up
 * to `.identity.` (spec services §1.6, §8.2).
 *
 * @param {string} attribute
 * @returns {string[] | undefined}
 */
function splitAttribute(attribute) {
  if (typeof attribute !== "string") return undefined;
  const found = /(^|\.)([a-zA-Z-]+:\/\/[^]*)$/.exec(attribute);
  if (found === null) return attribute.split(".");
  const before = attribute.slice(0, found.index);
  const url = found[2];
  const split = url.indexOf(".identity.");
  const keys = split < 0 ? [url] : [url.slice(0, split), ...url.slice(split + 1).split(".")];
  return before === "" ? keys : [...before.split("."), ...keys];
}
