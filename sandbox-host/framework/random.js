// Random numbers from the system: the engine's own generator is seeded from
// the clock, and published code makes its identifiers with `Math.random`.

const BYTES_MAX = 65536;

export default function (host) {
  Object.defineProperty(Math, "random", {
    value: function random() {
      return host.random();
    },
    writable: true,
    configurable: true,
  });

  function fill(view) {
    const isInteger = ArrayBuffer.isView(view) && !(view instanceof DataView)
      && !(view instanceof Float32Array) && !(view instanceof Float64Array);
    if (!isInteger) throw new TypeError("getRandomValues needs an integer typed array");
    const { buffer, byteOffset, byteLength } = view;
    if (byteLength > BYTES_MAX) {
      throw new RangeError(`getRandomValues gives at most ${BYTES_MAX} bytes`);
    }
    new Uint8Array(buffer, byteOffset, byteLength).set(new Uint8Array(host.randomBytes(byteLength)));
    return view;
  }

  function uuid() {
    const bytes = fill(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  host.global("crypto", Object.freeze({
    getRandomValues: fill,
    randomUUID: uuid,
    get subtle() {
      host.need("subtle");
      return host.subtle;
    },
  }));
}
