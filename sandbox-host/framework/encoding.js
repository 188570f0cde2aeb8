// TextEncoder and TextDecoder, for UTF-8 and UTF-16LE.

const LABELS = {
  "utf-8": "utf-8", utf8: "utf-8", "unicode-1-1-utf-8": "utf-8",
  "utf-16le": "utf-16le", "utf-16": "utf-16le", unicode: "utf-16le",
};

export default function (host) {
  class TextEncoder {
    get encoding() {
      return "utf-8";
    }

    encode(text = "") {
      return new Uint8Array(host.encode(String(text).toWellFormed()));
    }

    encodeInto(text, target) {
      let read = 0;
      let written = 0;
      for (const character of String(text)) {
        const bytes = this.encode(character);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += character.length;
      }
      return { read, written };
    }
  }

  class TextDecoder {
    #kept = new Uint8Array(0);
    #begun = false;

    constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
      const encoding = LABELS[String(label).trim().toLowerCase()];
      if (encoding === undefined) throw new RangeError(`the encoding \`${label}\` is not supported`);
      Object.defineProperties(this, {
        encoding: { value: encoding, enumerable: true },
        fatal: { value: Boolean(fatal), enumerable: true },
        ignoreBOM: { value: Boolean(ignoreBOM), enumerable: true },
      });
    }

    decode(input, { stream = false } = {}) {
      let bytes = joined(this.#kept, view(input));
      const keep = stream ? unfinished(bytes, this.encoding) : 0;
      this.#kept = bytes.slice(bytes.length - keep);
      bytes = bytes.subarray(0, bytes.length - keep);
      let text = this.encoding === "utf-8" ? host.utf8(bytes, this.fatal) : utf16(bytes, this.fatal);
      if (!this.#begun && !this.ignoreBOM && text.startsWith("\ufeff")) text = text.slice(1);
      this.#begun = stream && (this.#begun || text.length > 0);
      return text;
    }
  }

  host.global("TextEncoder", TextEncoder);
  host.global("TextDecoder", TextDecoder);
}

function view(input) {
  if (input === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  throw new TypeError("decode needs an ArrayBuffer or a view of one");
}

function joined(first, second) {
  if (first.length === 0) return second;
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

// How many bytes at the end are the beginning of a longer character.
function unfinished(bytes, encoding) {
  if (encoding !== "utf-8") return bytes.length % 2;
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}

function utf16(bytes, fatal) {
  let text = "";
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    text += String.fromCharCode(bytes[at] | (bytes[at + 1] << 8));
  }
  if (bytes.length % 2 === 1) text += "\ud800";
  if (fatal && !text.isWellFormed()) throw new TypeError("the bytes are not UTF-16LE");
  return text.toWellFormed();
}
