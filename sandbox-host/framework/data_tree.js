// Live data: a proxy for each object and array of a tree of plain JSON.
//
// A tree says what changed, after it changed, one call of `commit` for each
// change that JavaScript can see, and `begin` before it: the engine may end a turn
// between the two. An object that was taken out of its tree stays usable; nobody
// hears of it any more.
//
// @typedef {{path: (string|number)[], cType: 'add'|'update'|'remove',
//   oType: 'object'|'array', value?: unknown, count?: number}} Change
//   `value` is the plain value at `path`; `count` says how many elements went.

// A field that no component can see or forge, on the plain object itself: a
// WeakMap of this engine would keep its keys alive through its values.
class Mark extends (class {
  constructor(object) {
    return object;
  }
}) {
  #node;
  constructor(raw, node) {
    super(raw);
    this.#node = node;
  }
  static of(raw) {
    return #node in raw ? raw.#node : undefined;
  }
}

const NODE = Symbol("live node");

/** Characters of a place in an error. */
const SHOWN_MAX = 100;

/** A canonical array index, or undefined. */
function indexOf(key) {
  const number = Number(key);
  return Number.isInteger(number) && number >= 0 && String(number) === key ? number : undefined;
}

export default function (host) {
  const { copied, checkKey, bytesOf, keyBytes, tooLarge, isContainer, DATA_BYTES_MAX } = host.data;

  /** One object or array of a tree; it is the handler of its own proxy. */
  class Node {
    constructor(tree, raw, parent, key) {
      this.tree = tree;
      this.raw = raw;
      this.parent = parent;
      this.key = key;
      this.view = new Proxy(raw, this);
      new Mark(raw, this);
    }

    /** @returns {(string|number)[] | undefined} undefined when it is in no tree any more */
    path() {
      const path = [];
      for (let node = this; node.parent !== null; node = node.parent) {
        const key = node.place();
        if (key === undefined) return undefined;
        path.push(key);
      }
      return path.reverse();
    }

    // Elements move; where they were last seen is only where to look first.
    place() {
      const around = this.parent.raw;
      if (around[this.key] === this.raw) return this.key;
      const at = Array.isArray(around) ? around.indexOf(this.raw) : -1;
      if (at < 0) return undefined;
      this.key = at;
      return at;
    }

    /** Where a member is, for people. */
    where(key) {
      const text = [...(this.path() ?? []), key].map(String).join(".");
      return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
    }

    /** The proxy of a plain container that is a member of this one. */
    child(raw, key) {
      const known = Mark.of(raw);
      if (known !== undefined) {
        known.key = key;
        return known.view;
      }
      return new Node(this.tree, raw, this, key).view;
    }

    // ---- the traps ------------------------------------------------------

    get(raw, key) {
      if (key === NODE) return this;
      const value = raw[key];
      if (typeof key === "symbol") return value;
      if (typeof value === "function") return (Array.isArray(raw) && host.data.methods.get(key)) || value;
      // `__proto__`, and what is no element of an array.
      if (!isContainer(value) || !Object.hasOwn(raw, key)) return value;
      return this.child(value, Array.isArray(raw) ? (indexOf(key) ?? key) : key);
    }

    getOwnPropertyDescriptor(raw, key) {
      const found = Reflect.getOwnPropertyDescriptor(raw, key);
      if (found !== undefined && typeof key !== "symbol") found.value = this.get(raw, key);
      return found;
    }

    set(raw, key, value, receiver) {
      if (receiver !== this.view) return Reflect.set(raw, key, value, receiver);
      this.assign(key, value);
      return true;
    }

    defineProperty(raw, key, found) {
      if (typeof key === "symbol") return Reflect.defineProperty(raw, key, found);
      const isPlain = ["writable", "enumerable", "configurable"].every((name) => found[name] !== false);
      if (!isPlain || "get" in found || "set" in found) {
        throw new TypeError(`cannot define \`${this.where(key)}\`: members of live data are plain values`);
      }
      if ("value" in found || !Object.hasOwn(raw, key)) this.assign(key, found.value);
      return true;
    }

    deleteProperty(raw, key) {
      if (typeof key === "symbol") return Reflect.deleteProperty(raw, key);
      if (!Object.hasOwn(raw, key)) return true;
      if (Array.isArray(raw)) {
        // JSON has no holes. The length is the engine's to refuse.
        if (key === "length") return false;
        this.replace(Number(key), { value: null, bytes: 4 });
      } else this.remove(key);
      return true;
    }

    preventExtensions() {
      throw new TypeError("live data cannot be frozen, sealed or closed: its reporter may change it at any time");
    }

    setPrototypeOf(raw, prototype) {
      if (prototype === Object.getPrototypeOf(raw)) return true;
      throw new TypeError("live data has no prototype of its own: assign plain values");
    }

    // ---- changing -------------------------------------------------------

    assign(key, value) {
      if (typeof key === "symbol") return void (this.raw[key] = value);
      if (Array.isArray(this.raw)) return this.assignElement(key, value);
      const where = () => this.where(key);
      checkKey(key, where);
      // May run the component's code, so what is there is looked at afterwards.
      const copy = copied(value, where);
      if (copy !== undefined) this.replace(key, copy);
      else if (Object.hasOwn(this.raw, key)) this.remove(key);
    }

    assignElement(key, value) {
      if (key === "length") return host.data.setLength(this, value);
      const index = indexOf(key);
      if (index === undefined) {
        throw new TypeError(`cannot assign to \`${this.where(key)}\`: arrays of live data have elements only`);
      }
      const copy = this.element(value, index);
      if (index < this.raw.length) this.replace(index, copy);
      else host.data.extend(this, index, copy);
    }

    /** A value as an element: what has no JSON is `null` there. */
    element(value, index) {
      return copied(value, () => this.where(index)) ?? { value: null, bytes: 4 };
    }

    replace(key, { value, bytes }) {
      const { raw } = this;
      const isNew = !Object.hasOwn(raw, key);
      const oType = Array.isArray(raw) ? "array" : "object";
      this.grow(() => (isNew ? bytes + keyBytes(key) : bytes - bytesOf(raw[key])), key);
      this.tree.begin();
      raw[key] = value;
      this.commit([{ key, cType: isNew ? "add" : "update", oType, value }]);
    }

    remove(key) {
      this.grow(() => -bytesOf(this.raw[key]) - keyBytes(key), key);
      this.tree.begin();
      delete this.raw[key];
      this.commit([{ key, cType: "remove", oType: "object" }]);
    }

    /** Counts bytes before they are there. @throws {RangeError} */
    grow(count, key) {
      const { tree } = this;
      if (tree.bytes === Infinity || this.path() === undefined) return;
      const bytes = count();
      if (bytes > 0 && tree.bytes + bytes > DATA_BYTES_MAX) {
        throw tooLarge(() => this.where(key), tree.bytes + bytes);
      }
      tree.bytes += bytes;
    }

    /** Tells the tree, unless this node is in it no more. */
    commit(changes) {
      const path = this.path();
      const placed = ({ key, ...change }) => ({ path: [...path, key], ...change });
      this.tree.commit(path === undefined ? [] : changes.map(placed));
    }

    /** Tells that all of this node is another, where single changes would be too many. */
    commitWhole() {
      const path = this.path();
      const oType = Array.isArray(this.parent?.raw) ? "array" : "object";
      this.tree.commit(path === undefined ? [] : [{ path, cType: "update", oType, value: this.raw }]);
    }
  }

  /** The live data of one object. */
  class Tree {
    /**
     * @param {object} root plain JSON that nobody else holds
     * @param {(changes: Change[]) => void} commit called after each change; with
     *   none for what is in the tree no more
     * @param {() => void} begin called before each change
     * @param {number} bytes of its JSON; `Infinity` where nothing is counted,
     *   because nothing that is written here leaves
     */
    constructor(root, commit, begin, bytes = bytesOf(root)) {
      this.commit = commit;
      this.begin = begin;
      this.bytes = bytes;
      this.root = new Node(this, root, null, "");
    }

    /** Counts its bytes anew. */
    count() {
      if (this.bytes !== Infinity) this.bytes = bytesOf(this.raw);
    }

    /** @returns {object} plain JSON, not to be changed */
    get raw() {
      return this.root.raw;
    }

    /** @returns {object} what components get */
    get view() {
      return this.root.view;
    }

    /** What components get of the value at a path. */
    at(path) {
      return path.reduce((value, key) => value?.[key], this.view);
    }
  }

  host.data.Tree = Tree;
  host.data.nodeOf = (view) => (isContainer(view) ? view[NODE] : undefined);
}
