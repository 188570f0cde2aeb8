// Headers of requests and responses.

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export default function (host) {
  class Headers {
    // lower-case name → values
    #values = new Map();

    constructor(init) {
      if (init === undefined || init === null) return;
      if (typeof init !== "object") throw new TypeError("headers are an object or a list of pairs");
      const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
      for (const [name, value] of pairs) this.append(name, value);
    }

    append(name, value) {
      const key = checked(name);
      this.#values.set(key, [...(this.#values.get(key) ?? []), normal(value)]);
    }

    set(name, value) {
      this.#values.set(checked(name), [normal(value)]);
    }

    delete(name) {
      this.#values.delete(checked(name));
    }

    get(name) {
      return this.#values.get(checked(name))?.join(", ") ?? null;
    }

    getSetCookie() {
      return [...(this.#values.get("set-cookie") ?? [])];
    }

    has(name) {
      return this.#values.has(checked(name));
    }

    forEach(callback, self) {
      for (const [name, value] of this) callback.call(self, value, name, this);
    }

    *entries() {
      for (const name of [...this.#values.keys()].sort()) yield [name, this.get(name)];
    }

    *keys() { for (const [name] of this) yield name; }
    *values() { for (const [, value] of this) yield value; }
    [Symbol.iterator]() { return this.entries(); }
  }

  host.global("Headers", Headers);
}

function checked(name) {
  const text = String(name);
  if (!NAME.test(text)) throw new TypeError(`\`${text}\` is not a header's name`);
  return text.toLowerCase();
}

function normal(value) {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (/[\0\n\r]/.test(text)) throw new TypeError("a header's value is one line");
  return text;
}
