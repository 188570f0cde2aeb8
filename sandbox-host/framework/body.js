// What requests and responses carry: bytes, or pieces as they come, read once.

// What is collected of an answer. Every message and every published component is
// smaller by far; what is longer is read as a stream.
const COLLECTED_BYTES_MAX = 16 * 1024 * 1024;

export default function (host) {
  class Body {
    // Bytes, null for none, or { read, cancel } of what comes piece by piece.
    #content;
    #used = false;
    #stream;

    constructor(content) {
      this.#content = content;
    }

    get body() {
      if (this.#content === null) return null;
      this.#stream ??= this.#made();
      return this.#stream;
    }

    get bodyUsed() { return this.#used; }

    async text() {
      return host.utf8(await this.#all(), false).replace(/^\ufeff/, "");
    }

    async json() {
      return JSON.parse(await this.text());
    }

    async arrayBuffer() {
      return (await this.#all()).slice().buffer;
    }

    async bytes() {
      return (await this.#all()).slice();
    }

    async blob() {
      return new (host.need("blob").Blob)([await this.#all()], { type: this.headers.get("content-type") ?? "" });
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

    async #all() {
      this.#mustBeWhole();
      this.#used = this.#content !== null;
      if (this.#content === null || host.bytesOf(this.#content) !== undefined) {
        return this.#content ?? new Uint8Array(0);
      }
      return collected(this.#content);
    }

    #mustBeWhole() {
      if (this.#used) throw new TypeError("the body was read already");
      if (this.#stream?.locked) throw new TypeError("the body is being read by a reader");
    }

    #made() {
      host.need("stream");
      let content = this.#content;
      const isBytes = host.bytesOf(content) !== undefined;
      const read = async () => {
        this.#used = true;
        if (!isBytes) return content.read();
        const piece = content?.length > 0 ? content.slice() : undefined;
        content = null;
        return piece;
      };
      return host.streamOf({ read, cancel: (reason) => (this.#used = true, this.#content.cancel?.(reason)) });
    }

    // For a request that is made of another, and for a clone of what is all there.
    static contentOf(body) {
      body.#mustBeWhole();
      return body.#content;
    }

    // For a clone: what comes piece by piece is from now on for both.
    static shared(body) {
      body.#mustBeWhole();
      const content = body.#content;
      if (content?.read === undefined) return content;
      host.need("stream");
      const reader = {
        read: async () => {
          const value = await content.read();
          return { done: value === undefined, value };
        },
        cancel: async (reason) => content.cancel?.(reason),
      };
      const [own, other] = host.teed(reader);
      body.#content = own;
      body.#stream = undefined;
      return other;
    }
  }

  async function collected(source) {
    const pieces = [];
    let length = 0;
    for (let piece = await source.read(); piece !== undefined; piece = await source.read()) {
      length += piece.length;
      if (length > COLLECTED_BYTES_MAX) {
        const error = new TypeError(`the body has more than ${COLLECTED_BYTES_MAX} bytes: read \`body\` piece by piece`);
        source.cancel?.(error);
        throw error;
      }
      pieces.push(piece);
    }
    return pieces.length === 1 ? pieces[0] : joined(pieces, length);
  }

  function joined(pieces, length) {
    const all = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  // What may be given as a body: its bytes, and the type it has by itself.
  host.bodyOf = (value) => {
    if (value === null || value === undefined) return { bytes: null, type: "" };
    const raw = host.bytesOf(value);
    if (raw !== undefined) return { bytes: raw.slice(), type: "" };
    if (typeof value?.getReader === "function") return { bytes: sourceOf(value.getReader()), type: "" };
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

  function sourceOf(reader) {
    return {
      async read() {
        const { done, value } = await reader.read();
        if (done) return undefined;
        const bytes = host.bytesOf(value);
        if (bytes === undefined) throw new TypeError("a body is made of bytes: encode what the stream gives");
        return bytes;
      },
      cancel: (reason) => reader.cancel(reason),
    };
  }

  function encoded(value) {
    return new Uint8Array(host.encode(String(value).toWellFormed()));
  }

  host.Body = Body;
}
