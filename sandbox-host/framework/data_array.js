// Arrays of live data: the methods that change one, told in as few changes as
// observers can apply, and elements keep their identity when they move.
//
// The methods as the language has them would do as well, only with more changes:
// they read and write one element after the other through the proxy.

/**
 * Elements that come or move at once, beyond which one change gives the whole
 * array anew: as many changes would need more memory than the array.
 */
const CHANGES_MAX = 256;

/** Arguments of one call; the engine takes 65 535. */
const ARGUMENTS_MAX = 10000;

function put(raw, start, count, values) {
  raw.splice(start, count, ...values.slice(0, ARGUMENTS_MAX));
  for (let at = ARGUMENTS_MAX; at < values.length; at += ARGUMENTS_MAX) {
    raw.splice(start + at, 0, ...values.slice(at, at + ARGUMENTS_MAX));
  }
}

const elementBytes = (items) => items.reduce((sum, item) => sum + item.bytes + 1, 0);

function exchanged(start, count, items) {
  const shared = Math.min(count, items.length);
  const changes = items.map(({ value }, at) => ({
    key: start + at,
    cType: at < shared ? "update" : "add",
    oType: "array",
    value,
  }));
  if (count > shared) {
    changes.push({ key: start + shared, cType: "remove", oType: "array", count: count - shared });
  }
  return changes;
}

export default function (host) {
  const { bytesOf, isContainer, nodeOf, tooLarge, DATA_BYTES_MAX } = host.data;

  // Takes `count` elements out at `start` and puts `items` in: what is put in
  // place of another is an update, the rest goes or comes.
  function exchange(node, start, count, items) {
    const { raw } = node;
    const went = raw.slice(start, start + count);
    node.grow(() => elementBytes(items) - elementBytes(went.map(counted)), start);
    node.tree.begin();
    put(raw, start, count, items.map((item) => item.value));
    if (items.length > CHANGES_MAX) node.commitWhole();
    else node.commit(exchanged(start, went.length, items));
    return went.map((item) => (isContainer(item) ? node.child(item, -1) : item));
  }

  const counted = (value) => ({ value, bytes: bytesOf(value) });

  // Puts the same elements into another order.
  function permute(node, order) {
    const { raw } = node;
    const changes = [];
    order.forEach((value, at) => {
      const cType = at < raw.length ? "update" : "add";
      if (raw[at] !== value) changes.push({ key: at, cType, oType: "array", value });
    });
    node.tree.begin();
    put(raw, 0, order.length, order);
    if (changes.length > CHANGES_MAX) node.commitWhole();
    else node.commit(changes);
    return node.view;
  }

  const relative = (value, length, absent) => {
    if (value === undefined) return absent;
    const whole = Math.trunc(Number(value)) || 0;
    return whole < 0 ? Math.max(length + whole, 0) : Math.min(whole, length);
  };

  const copies = (node, items, at) => items.map((item, n) => node.element(item, at + n));

  const changing = {
    push(node, items) {
      const { length } = node.raw;
      exchange(node, node.raw.length, 0, copies(node, items, length));
      return node.raw.length;
    },
    unshift(node, items) {
      exchange(node, 0, 0, copies(node, items, 0));
      return node.raw.length;
    },
    pop: (node) => (node.raw.length > 0 ? exchange(node, node.raw.length - 1, 1, [])[0] : undefined),
    shift: (node) => (node.raw.length > 0 ? exchange(node, 0, 1, [])[0] : undefined),
    splice(node, args) {
      const items = copies(node, args.slice(2), 0);
      const { length } = node.raw;
      const start = relative(args[0], length, 0);
      const rest = length - start;
      const count = args.length === 1 ? rest : Math.min(Math.max(Math.trunc(Number(args[1])) || 0, 0), rest);
      return exchange(node, start, args.length === 0 ? 0 : count, items);
    },
    reverse: (node) => permute(node, node.raw.toReversed()),
    sort(node, [compare]) {
      const before = [...node.raw];
      // The component compares what it knows: proxies.
      const views = Array.from(node.view);
      const texts = compare === undefined ? views.map(String) : [];
      const byText = (a, b) => (texts[a] < texts[b] ? -1 : texts[a] > texts[b] ? 1 : 0);
      const byView = (a, b) => compare(views[a], views[b]);
      const order = views.map((_, at) => at).sort(compare === undefined ? byText : byView);
      const wasChanged = before.some((value, at) => node.raw[at] !== value);
      permute(node, order.map((at) => before[at]));
      // The comparison took elements out which are back now.
      if (wasChanged) node.tree.count();
      return node.view;
    },
    fill(node, [value, from, to]) {
      const length = node.raw.length;
      const end = relative(to, length, length);
      for (let at = relative(from, length, 0); at < end; at += 1) node.assignElement(String(at), value);
      return node.view;
    },
    copyWithin(node, [target, from, to]) {
      const { length } = node.raw;
      const source = node.raw.slice(relative(from, length, 0), relative(to, length, length));
      const start = relative(target, length, 0);
      const fitting = source.slice(0, Math.max(length - start, 0));
      fitting.forEach((value, at) => node.assignElement(String(start + at), value));
      return node.view;
    },
  };

  host.data.put = put;
  host.data.methods = new Map();
  for (const [name, change] of Object.entries(changing)) {
    const method = function (...args) {
      const node = nodeOf(this);
      return node === undefined ? Array.prototype[name].apply(this, args) : change(node, args);
    };
    Object.defineProperty(method, "name", { value: name });
    host.data.methods.set(name, method);
  }

  // An element beyond the end: JSON has no holes, so `null`s come between.
  host.data.extend = (node, index, copy) => {
    const { length } = node.raw;
    const between = index - length;
    // Asked before they are made.
    if (between * 5 > DATA_BYTES_MAX) throw tooLarge(() => node.where(index), between * 5);
    const gap = Array.from({ length: between }, () => ({ value: null, bytes: 4 }));
    exchange(node, length, 0, [...gap, copy]);
  };

  host.data.setLength = (node, value) => {
    const wanted = Number(value);
    if (!Number.isInteger(wanted) || wanted < 0 || wanted >= 2 ** 32) throw new RangeError("invalid array length");
    const { length } = node.raw;
    if (wanted < length) exchange(node, wanted, length - wanted, []);
    else if (wanted > length) host.data.extend(node, wanted - 1, { value: null, bytes: 4 });
  };
}
