// What of an object a caller may reach: its own members and those of its classes.
//
// Not what begins with `_`, not `constructor`, and nothing that comes from the
// language itself: `hyperty.constructor.constructor("…")` would run any text.

const HIDDEN = new Set(["constructor", "prototype", "arguments", "caller", "callee"]);
const NAME_CHARACTERS_MAX = 256;
// `a.b.c.d`; deeper is another object's business.
const PATH_MAX = 16;
// Names told of one object.
const TOLD_MAX = 512;

export default function (host) {
  const { Refusal, ownPrototypes, isBuiltIn, isRemote } = host.rpc;

  // The object at the end of a path of members.
  function walk(start, path = []) {
    if (!Array.isArray(path)) throw new Refusal(400, "`path` is not a list of names");
    if (path.length > PATH_MAX) throw new Refusal(400, `\`path\` has more than ${PATH_MAX} names`);
    let at = start;
    for (const name of path) at = member(at, name);
    return at;
  }

  // The value of a member, if it is one to be reached.
  function member(object, name) {
    holder(object, name);
    return object[name];
  }

  function method(object, name) {
    const found = member(object, name);
    if (typeof found !== "function") throw new Refusal(404, `\`${name}\` is not a method`);
    return found;
  }

  function assign(object, name, value) {
    check(name);
    reachable(object, name);
    // Whoever awaits the object would wait for the caller.
    if (name === "then") throw new Refusal(403, "`then` cannot be assigned");
    if (name in object) {
      const place = holder(object, name);
      const { writable, set, value: old } = Object.getOwnPropertyDescriptor(place, name);
      if (place !== object && typeof old === "function") {
        throw new Refusal(403, `\`${name}\` is a method and cannot be assigned`);
      }
      if (!writable && set === undefined) throw new Refusal(403, `\`${name}\` cannot be assigned`);
    }
    if (!Reflect.set(object, name, value)) throw new Refusal(403, `\`${name}\` cannot be assigned`);
  }

  function remove(object, name) {
    if (holder(object, name) !== object || !Reflect.deleteProperty(object, name)) {
      throw new Refusal(403, `\`${name}\` cannot be deleted`);
    }
  }

  // Where a member is defined: the object itself, or one of its classes.
  function holder(object, name) {
    check(name);
    reachable(object, name);
    if (Object.hasOwn(object, name)) return object;
    for (const type of ownPrototypes(object)) if (Object.hasOwn(type, name)) return type;
    if (name in object) throw new Refusal(403, `\`${name}\` belongs to the language and is not exposed`);
    throw new Refusal(404, `there is no \`${name}\``);
  }

  function check(name) {
    // Elements of arrays are named by numbers.
    if (Number.isSafeInteger(name) && name >= 0) return;
    if (typeof name !== "string" || name === "" || name.length > NAME_CHARACTERS_MAX) {
      throw new Refusal(400, "a member's name is no text, or too long");
    }
    if (name.startsWith("_") || HIDDEN.has(name)) throw new Refusal(403, `\`${name}\` is not exposed`);
  }

  function reachable(object, name) {
    if (object === null || typeof object !== "object") {
      throw new Refusal(404, `there is no \`${name}\`: what should have it is not an object`);
    }
    if (isRemote(object)) throw new Refusal(403, `\`${name}\` lies behind a reference to somebody else`);
    if (host.private.has(object) || object === globalThis || isBuiltIn(object)) {
      throw new Refusal(403, `\`${name}\` belongs to the runtime and is not exposed`);
    }
  }

  // ---- what there is ------------------------------------------------------------

  // `{name, methods: [{name, arity}], properties: [{name, type}]}`, in order of name.
  function describe(object) {
    if (typeof object === "function") return { name: object.name, methods: [], properties: [] };
    if (object === null || typeof object !== "object") throw new Refusal(404, "it has no members");
    const methods = [];
    const properties = [];
    for (const [name, property] of reachableMembers(object)) {
      if (typeof property.value === "function") methods.push({ name, arity: property.value.length });
      else properties.push({ name, type: typeOf(property) });
    }
    return { name: className(object), methods, properties };
  }

  // What a reference tells of itself, so that its borrower knows methods from data.
  function told(value) {
    if (typeof value === "function") return { name: value.name.toWellFormed().slice(0, 256) };
    return { name: className(value), methods: describe(value).methods.map(({ name }) => name) };
  }

  function reachableMembers(object) {
    const found = new Map();
    for (const place of [object, ...ownPrototypes(object)]) {
      for (const name of Object.getOwnPropertyNames(place)) {
        const isTold = !found.has(name) && !name.startsWith("_") && !HIDDEN.has(name);
        if (isTold && found.size < TOLD_MAX) {
          found.set(name.toWellFormed(), Object.getOwnPropertyDescriptor(place, name));
        }
      }
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  function className(object) {
    const [type] = ownPrototypes(object);
    const name = type !== undefined && Object.getOwnPropertyDescriptor(type, "constructor")?.value?.name;
    return typeof name === "string" ? name.toWellFormed().slice(0, 256) : "";
  }

  Object.assign(host.rpc, { walk, member, method, assign, remove, describe, told });
}

// Without running a getter: it may do anything.
function typeOf({ value, get, set }) {
  if (get !== undefined || set !== undefined) return "getter";
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
