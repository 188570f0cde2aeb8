// FormData: names and values, and their form on the wire.

export default function (host) {
  class FormData {
    #entries = [];

    append(name, value, filename) {
      this.#entries.push([String(name), entry(value, filename)]);
    }

    delete(name) {
      this.#entries = this.#entries.filter(([known]) => known !== String(name));
    }

    get(name) {
      return this.#entries.find(([known]) => known === String(name))?.[1] ?? null;
    }

    getAll(name) {
      return this.#entries.filter(([known]) => known === String(name)).map(([, value]) => value);
    }

    has(name) {
      return this.#entries.some(([known]) => known === String(name));
    }

    set(name, value, filename) {
      const at = this.#entries.findIndex(([known]) => known === String(name));
      if (at < 0) return this.append(name, value, filename);
      this.#entries[at] = [String(name), entry(value, filename)];
      this.#entries = this.#entries.filter(([known], n) => n <= at || known !== String(name));
      return undefined;
    }

    forEach(callback, self) {
      for (const [name, value] of this.#entries) callback.call(self, value, name, this);
    }

    *entries() { yield* this.#entries.map(([name, value]) => [name, value]); }
    *keys() { for (const [name] of this.#entries) yield name; }
    *values() { for (const [, value] of this.#entries) yield value; }
    [Symbol.iterator]() { return this.entries(); }
  }

  function entry(value, filename) {
    const { Blob, File } = host.need("blob");
    if (!(value instanceof Blob)) return String(value).toWellFormed();
    if (value instanceof File && filename === undefined) return value;
    return new File([value], filename ?? value.name ?? "blob", { type: value.type });
  }

  // As `multipart/form-data`: the bytes as a blob, with the type that names the border.
  host.multipart = (form) => {
    const { Blob, File } = host.need("blob");
    const border = `----hyperty${host.web.crypto.randomUUID()}`;
    const quoted = (text) => text.replace(/\r\n?|\n/g, "%0D%0A").replace(/"/g, "%22");
    const parts = [];
    for (const [name, value] of form) {
      parts.push(`--${border}\r\nContent-Disposition: form-data; name="${quoted(name)}"`);
      if (value instanceof File) {
        const type = value.type || "application/octet-stream";
        parts.push(`; filename="${quoted(value.name)}"\r\nContent-Type: ${type}`);
      }
      parts.push("\r\n\r\n", value, "\r\n");
    }
    parts.push(`--${border}--\r\n`);
    return new Blob(parts, { type: `multipart/form-data; boundary=${border}` });
  };

  host.global("FormData", FormData);
}
