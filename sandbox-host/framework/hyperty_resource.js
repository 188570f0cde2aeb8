// Files that participants share (spec services §2.7, §1.17): the content is kept
// by a runtime's storage, a child says where.

/**
 * Bytes of one part. It travels in a message of 1 MiB, as base64 when it is no
 * text, with its description beside it; longer contents have several.
 */
const PART_BYTES_MAX = 512 * 1024;

/** Bytes of one content; the runtime's storage takes no more. */
const CONTENT_BYTES_MAX = 8 * 1024 * 1024;

/** A published reader keeps no content beyond this; its name and value are public. */
const ARRAYBUFFER_SIZE_LIMIT = 5242880;

const STORAGE = "/storage";

export default function (host) {
  const { DataObjectChild } = host.data;

  /** A child whose content is kept elsewhere. */
  class HypertyResource extends DataObjectChild {
    constructor(input) {
      super(input);
      this._content = input.content;
      this._metadata.contentURL = Array.isArray(input.contentURL) ? [...input.contentURL] : [];
    }

    /** @returns {string} */
    get resourceType() {
      return this._metadata.resourceType;
    }

    /** @returns {string | undefined} */
    get mimetype() {
      return this._metadata.mimetype;
    }

    /** @returns {ArrayBuffer | string | undefined} undefined until it is read */
    get content() {
      return this._content;
    }

    /** @returns {string[]} where it is kept */
    get contentURL() {
      return this._metadata.contentURL;
    }

    /** @returns {number} */
    get arraybufferSizeLimit() {
      return ARRAYBUFFER_SIZE_LIMIT;
    }

    /**
     * Has the content kept.
     *
     * @returns {Promise<void>} rejected with the storage's reason
     */
    async save() {
      const { parent, url, ...value } = this._metadata;
      const [first, ...further] = encoded(this._content);
      Object.assign(value, first, { parts: further.length + 1 });
      const { value: kept } = await this._ask("create", this._storage, { value });
      for (const [n, part] of further.entries()) {
        await this._ask("update", this._storage, { resource: kept, part: n + 1, ...part });
      }
      if (!this.contentURL.includes(kept)) this.contentURL.push(kept);
    }

    /**
     * Gets the content from where it is kept.
     *
     * @param {(percentage: number) => void} [progress]
     * @returns {Promise<this>} rejected with the reason of the last place that was asked
     */
    async read(progress) {
      if (this._content !== undefined) return this;
      let last = "it is kept nowhere";
      for (const resource of this.contentURL) {
        try {
          this._content = await this._readAt(resource, progress);
          return this;
        } catch (reason) {
          last = reason;
        }
      }
      throw last;
    }

    /**
     * Deletes it for all participants, and what is kept of it if it is one's own.
     *
     * @returns {Promise<boolean>} whether the content is gone
     */
    async delete() {
      const resources = this._isMine ? this.contentURL.splice(0) : [];
      super.delete();
      if (resources.length === 0) return true;
      try {
        await this._ask("delete", this._storage, { resources });
        return true;
      } catch {
        return false;
      }
    }

    // ---- within the library ---------------------------------------------

    get _storage() {
      return this._parentObject._syncher._runtimeUrl + STORAGE;
    }

    _ask(type, to, body, provisional) {
      return this._parentObject._syncher._ask(type, to, body, true, provisional);
    }

    async _readAt(resource, progress) {
      const { p2pRequester, p2pHandler } = this._metadata;
      // `<runtime>/storage/<id>`: that runtime is asked.
      const end = resource.lastIndexOf(`${STORAGE}/`);
      const to = end < 0 ? this._storage : resource.slice(0, end + STORAGE.length);
      const told = ({ value }) => progress && this._parentObject._call(progress, value);
      const body = await this._ask("read", to, { resource, p2p: true, p2pRequester, p2pHandler }, told);
      const first = body.value ?? {};
      const parts = [decoded(first)];
      for (let part = 1; part < (first.parts ?? 1); part += 1) {
        const next = await this._ask("read", to, { resource, part });
        parts.push(decoded(next.value ?? {}));
        if (progress) this._parentObject._call(progress, Math.round((part / first.parts) * 100));
      }
      return joined(parts);
    }
  }

  /** A file. */
  class FileHypertyResource extends HypertyResource {
    constructor(input) {
      super({ ...input, resourceType: "file" });
    }

    /** @returns {string | undefined} */
    get name() {
      return this._metadata.name;
    }

    /** @returns {string | undefined} a picture's small form as data URL, from peers that make one */
    get preview() {
      return this._metadata.preview;
    }

    /**
     * Takes the content and what is known of it.
     *
     * @param {File | Blob | ArrayBuffer | ArrayBufferView | string} file
     */
    async init(file) {
      this._content = await contentOf(file);
      const { size, byteLength, length, type, name, lastModified } = file;
      const known = { name, lastModified, size: size ?? byteLength ?? length, mimetype: type || undefined };
      for (const [member, value] of Object.entries(known)) if (value !== undefined) this._metadata[member] = value;
    }
  }

  async function contentOf(file) {
    if (typeof file === "string" || file instanceof ArrayBuffer) return file;
    if (ArrayBuffer.isView(file)) return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
    if (typeof file?.arrayBuffer === "function") return file.arrayBuffer();
    throw new TypeError("a file resource is made of a File, a Blob, bytes or a text");
  }

  function encoded(content) {
    const isText = typeof content === "string";
    const bytes = isText ? host.encode(content).byteLength : content.byteLength;
    if (bytes > CONTENT_BYTES_MAX) {
      throw new RangeError(`cannot keep ${bytes} bytes: the most of one file is ${CONTENT_BYTES_MAX}`);
    }
    if (!isText) {
      const all = new Uint8Array(content);
      const part = (at) => ({ content: all.subarray(at, at + PART_BYTES_MAX).toBase64(), contentEncoding: "base64" });
      return ats(bytes, PART_BYTES_MAX).map(part);
    }
    // A unit of text has at most three bytes.
    const units = bytes > PART_BYTES_MAX ? Math.floor(PART_BYTES_MAX / 3) : content.length;
    return whole(content, units).map((text) => ({ content: text }));
  }

  function decoded({ content, contentEncoding }) {
    return contentEncoding === "base64" ? Uint8Array.fromBase64(content).buffer : content;
  }

  Object.assign(host.data, { HypertyResource, FileHypertyResource });
}

function ats(length, step) {
  return Array.from({ length: Math.max(1, Math.ceil(length / step)) }, (_, n) => n * step);
}

// A text in pieces of so many units, never between the halves of a character.
function whole(text, units) {
  const pieces = [];
  let at = 0;
  do {
    let end = Math.min(at + units, text.length);
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end -= 1;
    pieces.push(text.slice(at, end));
    at = end;
  } while (at < text.length);
  return pieces;
}

function joined(parts) {
  if (parts.length === 1 || parts.every((part) => typeof part === "string")) {
    return parts.length === 1 ? parts[0] : parts.join("");
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return all.buffer;
}
