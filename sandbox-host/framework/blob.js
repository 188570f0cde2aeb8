// Blob and File: bytes that do not change, and their type.

// Addresses of blobs are kept until they are revoked, which code forgets.
const OBJECT_URLS_MAX = 1000;

export default function (host) {
  const contents = new WeakMap();
  const urls = new Map();

  class Blob {
    #type;

    constructor(parts = [], options = {}) {
      if (parts === null || typeof parts !== "object" || typeof parts[Symbol.iterator] !== "function") {
        throw new TypeError("a Blob is made of a list of parts");
      }
      contents.set(this, joined(Array.from(parts, bytesOf)));
      const type = String(options?.type ?? "");
      this.#type = /^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : "";
    }

    get size() { return contents.get(this).length; }
    get type() { return this.#type; }

    slice(start, end, type = "") {
      const part = new Blob([], { type });
      contents.set(part, contents.get(this).subarray(start ?? 0, end ?? this.size));
      return part;
    }

    async text() {
      return host.utf8(contents.get(this), false);
    }

    async arrayBuffer() {
      return contents.get(this).slice().buffer;
    }

    async bytes() {
      return contents.get(this).slice();
    }

    get [Symbol.toStringTag]() { return "Blob"; }
  }

  class File extends Blob {
    #name;
    #at;

    constructor(parts, name, options = {}) {
      if (arguments.length < 2) throw new TypeError("a File needs its parts and a name");
      super(parts, options);
      this.#name = String(name);
      this.#at = Number(options?.lastModified ?? Date.now());
    }

    get name() { return this.#name; }
    get lastModified() { return this.#at; }
    get webkitRelativePath() { return ""; }
    get [Symbol.toStringTag]() { return "File"; }
  }

  function bytesOf(part) {
    if (contents.has(part)) return contents.get(part);
    return host.bytesOf(part) ?? new Uint8Array(host.encode(String(part).toWellFormed()));
  }

  // The bytes of a blob, not to be written to.
  host.blobBytes = (blob) => contents.get(blob);

  host.objectURL = (blob) => {
    if (!contents.has(blob)) throw new TypeError("only a Blob or a File can be given a URL");
    if (urls.size >= OBJECT_URLS_MAX) {
      throw new RangeError(`more than ${OBJECT_URLS_MAX} object URLs: revoke those that are not needed`);
    }
    const url = `blob:${globalThis.location?.origin ?? "null"}/${host.web.crypto.randomUUID()}`;
    urls.set(url, { blob, owner: host.whose() });
    return url;
  };
  host.revokeURL = (url) => void urls.delete(String(url));
  host.blobAt = (url) => urls.get(url)?.blob;
  host.ends.add((owner) => {
    for (const [url, entry] of urls) if (entry.owner === owner) urls.delete(url);
  });

  host.global("Blob", Blob);
  host.global("File", File);
}

function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
