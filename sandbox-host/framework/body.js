// What requests and responses carry: bytes that are read once.

export default function (host) {
  class Body {
    #bytes;
    #used = false;

    constructor(bytes) {
      this.#bytes = bytes;
    }

    // There are no streams: who wants the body asks for all of it.
    get body() { return null; }
    get bodyUsed() { return this.#used; }

    async text() {
      return host.utf8(this.#take(), false).replace(/^\ufeff/, "");
    }

    async json() {
      return JSON.parse(await this.text());
    }

    async arrayBuffer() {
      return this.#take().slice().buffer;
    }

    async bytes() {
      return this.#take().slice();
    }

    async blob() {
      return new (host.need("blob").Blob)([this.#take()], { type: this.headers.get("content-type") ?? "" });
    }

    async formData() {
      const type = this.headers.get("content-type") ?? "";
      if (!type.startsWith("application/x-www-form-urlencoded")) {
        throw new TypeError(`form data is read from \`application/x-www-form-urlencoded\` only, not from \`${type}\``);
      }
      const form = new (host.need("form_data").FormData)();
      for (const [name, value] of new (host.need("url").URLSearchParams)(await this.text())) form.append(name, value);
      return form;
    }

    #take() {
      if (this.#used) throw new TypeError("the body was read already");
      this.#used = this.#bytes !== null;
      return this.#bytes ?? new Uint8Array(0);
    }

    // For a clone, or a request that is made of another.
    static bytesOf(body) {
      if (body.#used) throw new TypeError("the body was read already");
      return body.#bytes;
    }
  }

  // What may be given as a body: its bytes, and the type it has by itself.
  host.bodyOf = (value) => {
    if (value === null || value === undefined) return { bytes: null, type: "" };
    const raw = host.bytesOf(value);
    if (raw !== undefined) return { bytes: raw.slice(), type: "" };
    if (typeof value === "object") {
      const { Blob } = host.need("blob");
      const { FormData } = host.need("form_data");
      const blob = value instanceof FormData ? host.multipart(value) : value;
      if (blob instanceof Blob) return { bytes: host.blobBytes(blob), type: blob.type };
      if (value instanceof host.need("url").URLSearchParams) {
        return { bytes: encoded(value), type: "application/x-www-form-urlencoded;charset=UTF-8" };
      }
    }
    return { bytes: encoded(value), type: "text/plain;charset=UTF-8" };
  };

  function encoded(value) {
    return new Uint8Array(host.encode(String(value).toWellFormed()));
  }

  host.Body = Body;
}
