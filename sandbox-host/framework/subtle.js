// `crypto.subtle`, as far as spec and published code ask for it: digests, HMAC,
// AES-GCM, ECDSA, Ed25519, ECDH, X25519, HKDF and PBKDF2.
//
// Keys are in the host (`src/script/crypto`), known here by their number. What
// may be done with one is decided here, with what the key itself says; a key that
// may not be exported is nowhere that a script could read.

const CURVES = { "P-256": 32, "P-384": 48 };
const HASHES = { "SHA-1": 20, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 };
// Bytes of an HMAC key when nothing is said: the block of its hash.
const BLOCKS = { "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };
// What the keys of each algorithm may be for: one list, or public and private.
const USAGES = {
  HMAC: [["sign", "verify"]],
  "AES-GCM": [["encrypt", "decrypt", "wrapKey", "unwrapKey"]],
  HKDF: [["deriveKey", "deriveBits"]],
  PBKDF2: [["deriveKey", "deriveBits"]],
  ECDSA: [["verify"], ["sign"]],
  Ed25519: [["verify"], ["sign"]],
  ECDH: [[], ["deriveKey", "deriveBits"]],
  X25519: [[], ["deriveKey", "deriveBits"]],
};

export default function (host) {
  const native = host.openCrypto();
  const states = new WeakMap();
  // A key's place in the host is free again when nobody has the key any more.
  const places = new FinalizationRegistry((number) => native.drop(number));

  class CryptoKey {
    constructor() {
      throw new TypeError("keys come from crypto.subtle");
    }

    get type() { return state(this).type; }
    get extractable() { return state(this).extractable; }
    get algorithm() { return state(this).algorithm; }
    get usages() { return [...state(this).usages]; }
    get [Symbol.toStringTag]() { return "CryptoKey"; }
  }

  function state(key) {
    const known = states.get(key);
    if (known === undefined) throw new TypeError("this is not a CryptoKey");
    return known;
  }

  function keyOf(number, type, algorithm, extractable, usages) {
    const key = Object.create(CryptoKey.prototype);
    states.set(key, { number, type, algorithm: Object.freeze(algorithm), extractable, usages });
    places.register(key, number);
    return key;
  }

  // The host's errors have the browser's name in front.
  function ask(name, ...args) {
    try {
      return native[name](...args);
    } catch (error) {
      const [, kind, reason] = /^(\w+Error): ([^]*)$/.exec(error.message) ?? [];
      throw kind === undefined ? error : new DOMException(reason, kind);
    }
  }

  const refused = (kind, reason) => new DOMException(reason, kind);

  // Bytes on their way to the host.
  function sent(data) {
    const bytes = host.bytesOf(data);
    if (bytes === undefined) throw new TypeError("the data is neither an ArrayBuffer nor a view of one");
    return host.toBase64(bytes);
  }

  function named(algorithm, names = Object.keys(USAGES)) {
    const given = typeof algorithm === "string" ? { name: algorithm } : { ...algorithm };
    const name = names.find((known) => known.toUpperCase() === String(given.name).toUpperCase());
    if (name === undefined) throw refused("NotSupportedError", `\`${given.name}\` is not supported here: there are ${names.join(", ")}`);
    return { ...given, name };
  }

  const hashOf = (hash) => named(hash, Object.keys(HASHES)).name;

  function curveOf({ namedCurve, name }) {
    if (name !== "ECDSA" && name !== "ECDH") return name;
    if (Object.hasOwn(CURVES, namedCurve)) return namedCurve;
    throw refused("NotSupportedError", `the curve \`${namedCurve}\` is not supported: there are P-256 and P-384`);
  }

  function usable(key, algorithm, usage) {
    const known = state(key);
    if (known.algorithm.name !== algorithm.name) {
      throw refused("InvalidAccessError", `the key is for ${known.algorithm.name}, not for ${algorithm.name}`);
    }
    if (!known.usages.includes(usage)) throw refused("InvalidAccessError", `the key is not for \`${usage}\``);
    return known;
  }

  function checkUsages(usages, allowed, isNeeded) {
    const list = [...new Set(usages)];
    const other = list.find((usage) => !allowed.includes(usage));
    if (other !== undefined) throw refused("SyntaxError", `such a key cannot be for \`${other}\``);
    if (isNeeded && list.length === 0) throw refused("SyntaxError", "the key would be for nothing: name its usages");
    return list;
  }

  // ---- making and taking keys ----------------------------------------------

  function bitsOf(algorithm) {
    const { name, length } = algorithm;
    if (name === "AES-GCM") {
      if ([128, 192, 256].includes(length)) return length;
      throw refused("OperationError", "an AES key has 128, 192 or 256 bits");
    }
    if (length === undefined) return BLOCKS[hashOf(algorithm.hash)] * 8;
    if (length > 0 && length % 8 === 0) return length;
    throw refused("OperationError", "an HMAC key has whole bytes");
  }

  function secretAlgorithm({ name, hash }, bytes) {
    if (name === "AES-GCM") return { name, length: bytes * 8 };
    if (name === "HMAC") return { name, hash: { name: hashOf(hash) }, length: bytes * 8 };
    return { name };
  }

  const publicAlgorithm = ({ name, namedCurve }) => (namedCurve === undefined ? { name } : { name, namedCurve });

  function generateKey(given, extractable, usages) {
    const algorithm = named(given);
    const allowed = USAGES[algorithm.name];
    if (algorithm.name === "HMAC" || algorithm.name === "AES-GCM") {
      const list = checkUsages(usages, allowed[0], true);
      const bytes = bitsOf(algorithm) / 8;
      const number = ask("generate", "secret", bytes);
      return keyOf(number, "secret", secretAlgorithm(algorithm, bytes), Boolean(extractable), list);
    }
    if (allowed.length === 1) throw refused("NotSupportedError", `a key for ${algorithm.name} is imported`);
    const list = checkUsages(usages, allowed.flat(), false);
    const mine = list.filter((usage) => allowed[1].includes(usage));
    if (mine.length === 0) throw refused("SyntaxError", "the private key would be for nothing: name its usages");
    const number = ask("generate", curveOf(algorithm), 0);
    const known = publicAlgorithm(algorithm);
    const privateKey = keyOf(number, "private", known, Boolean(extractable), mine);
    const theirs = list.filter((usage) => allowed[0].includes(usage));
    return { privateKey, publicKey: keyOf(ask("public", number), "public", { ...known }, true, theirs) };
  }

  function importKey(format, data, given, extractable, usages) {
    const algorithm = named(given);
    const allowed = USAGES[algorithm.name];
    if (allowed.length === 1) return importSecret(format, data, algorithm, extractable, checkUsages(usages, allowed[0], true));
    const curve = curveOf(algorithm);
    const isPrivate = format === "pkcs8" || (format === "jwk" && data?.d !== undefined);
    const list = checkUsages(usages, allowed[isPrivate ? 1 : 0], isPrivate);
    const number = format === "jwk" ? importJwk(data, algorithm, curve, isPrivate) : ask("import", curve, pairFormat(format), sent(data));
    return keyOf(number, isPrivate ? "private" : "public", publicAlgorithm(algorithm), Boolean(extractable), list);
  }

  function pairFormat(format) {
    if (["raw", "pkcs8", "spki"].includes(format)) return format;
    throw refused("NotSupportedError", `the format \`${format}\` is not supported for this key`);
  }

  function importSecret(format, data, algorithm, extractable, usages) {
    if (format !== "raw" && (format !== "jwk" || algorithm.name === "HKDF" || algorithm.name === "PBKDF2")) {
      throw refused("NotSupportedError", `the format \`${format}\` is not supported for this key`);
    }
    if (format === "jwk" && data?.kty !== "oct") throw refused("DataError", "this is not a JWK of a secret");
    const bytes = format === "jwk" ? field(data, "k") : host.bytesOf(data);
    if (bytes === undefined) throw new TypeError("the key is neither an ArrayBuffer nor a view of one");
    if (algorithm.name === "AES-GCM" && ![16, 24, 32].includes(bytes.length)) {
      throw refused("DataError", "an AES key has 16, 24 or 32 bytes");
    }
    if (algorithm.name === "HMAC" && bytes.length === 0) throw refused("DataError", "the key is empty");
    const isDerived = algorithm.name === "HKDF" || algorithm.name === "PBKDF2";
    if (isDerived && extractable) throw refused("SyntaxError", "such a key is never extractable");
    const number = ask("import", "secret", "raw", host.toBase64(bytes));
    return keyOf(number, "secret", secretAlgorithm(algorithm, bytes.length), Boolean(extractable), usages);
  }

  function importJwk(jwk, { name }, curve, isPrivate) {
    const isEdwards = name === "Ed25519" || name === "X25519";
    if (jwk?.kty !== (isEdwards ? "OKP" : "EC") || jwk.crv !== curve) {
      throw refused("DataError", `this is not a JWK of the curve ${curve}`);
    }
    const size = CURVES[curve] ?? 32;
    const part = (member) => {
      const bytes = field(jwk, member);
      if (bytes.length === size) return bytes;
      throw refused("DataError", `\`${member}\` has not ${size} bytes`);
    };
    const point = isEdwards ? part("x") : new Uint8Array([4, ...part("x"), ...part("y")]);
    const publicNumber = ask("import", curve, "raw", host.toBase64(point));
    if (!isPrivate) return publicNumber;
    native.drop(publicNumber);
    const number = ask("import", curve, "scalar", host.toBase64(part("d")));
    const own = ask("public", number);
    const isPair = host.toBase64(new Uint8Array(ask("export", own, "raw"))) === host.toBase64(point);
    native.drop(own);
    if (isPair) return number;
    native.drop(number);
    throw refused("DataError", "the private and the public part do not belong together");
  }

  function field(jwk, member) {
    try {
      return Uint8Array.fromBase64(jwk[member], { alphabet: "base64url" });
    } catch {
      throw refused("DataError", `\`${member}\` is not base64url`);
    }
  }

  function exportKey(format, key) {
    const known = state(key);
    if (!known.extractable) throw refused("InvalidAccessError", "the key may not be exported");
    if (format === "jwk") return exportJwk(known);
    const fits = { secret: ["raw"], public: ["raw", "spki"], private: ["pkcs8"] }[known.type];
    if (fits.includes(format)) return ask("export", known.number, format);
    throw refused("NotSupportedError", `a ${known.type} key is not exported as \`${format}\``);
  }

  function exportJwk({ number, type, algorithm, usages }) {
    const base64url = (bytes) => new Uint8Array(bytes).toBase64({ alphabet: "base64url", omitPadding: true });
    const common = { key_ops: [...usages], ext: true };
    if (type === "secret") {
      const { name, hash, length } = algorithm;
      const alg = name === "HMAC" ? `HS${hash.name.slice(4)}` : `A${length}GCM`;
      return { kty: "oct", k: base64url(ask("export", number, "raw")), alg, ...common };
    }
    const open = type === "public" ? number : ask("public", number);
    const point = new Uint8Array(ask("export", open, "raw"));
    if (open !== number) native.drop(open);
    const secret = type === "private" ? { d: base64url(ask("export", number, "scalar")) } : {};
    const size = CURVES[algorithm.namedCurve];
    if (size === undefined) return { kty: "OKP", crv: algorithm.name, x: base64url(point), ...secret, ...common };
    const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)].map(base64url);
    return { kty: "EC", crv: algorithm.namedCurve, x, y, ...secret, ...common };
  }

  // ---- using keys -----------------------------------------------------------

  // The hash belongs to an HMAC key, and to each signature of ECDSA.
  function hashFor(algorithm, known) {
    if (algorithm.name === "HMAC") return known.algorithm.hash.name;
    return algorithm.name === "ECDSA" ? hashOf(algorithm.hash) : "";
  }

  const SIGNING = ["HMAC", "ECDSA", "Ed25519"];

  function sign(given, key, data) {
    const algorithm = named(given, SIGNING);
    const known = usable(key, algorithm, "sign");
    return ask("sign", known.number, hashFor(algorithm, known), sent(data));
  }

  function verify(given, key, signature, data) {
    const algorithm = named(given, SIGNING);
    const known = usable(key, algorithm, "verify");
    return ask("verify", known.number, hashFor(algorithm, known), sent(signature), sent(data));
  }

  const cipher = (word) => (given, key, data) => {
    const algorithm = named(given, ["AES-GCM"]);
    const { number } = usable(key, algorithm, word);
    const { iv, additionalData = new Uint8Array(0), tagLength = 128 } = algorithm;
    if (tagLength !== 128) throw refused("NotSupportedError", "the tag has 128 bits");
    return ask("cipher", number, word, sent(iv), sent(additionalData), sent(data));
  };

  function derived(given, key, length, usage) {
    const algorithm = named(given, ["ECDH", "X25519", "HKDF", "PBKDF2"]);
    const known = usable(key, algorithm, usage);
    if (algorithm.name === "ECDH" || algorithm.name === "X25519") return agreed(algorithm, known, length);
    if (!(length > 0) || length % 8 !== 0) throw refused("OperationError", "the length is whole bytes");
    const how = [algorithm.name, hashOf(algorithm.hash), sent(algorithm.salt)];
    if (algorithm.name === "HKDF") how.push(sent(algorithm.info));
    const rounds = algorithm.name === "PBKDF2" ? Number(algorithm.iterations) : 0;
    if (!(rounds >= 0 && rounds < 2 ** 32)) throw refused("OperationError", `${rounds} iterations are too many`);
    return ask("derive", known.number, how, Math.trunc(rounds), length / 8);
  }

  function agreed(algorithm, known, length) {
    const other = state(algorithm.public);
    const isFit = other.type === "public" && other.algorithm.name === known.algorithm.name
      && other.algorithm.namedCurve === known.algorithm.namedCurve;
    if (!isFit) throw refused("InvalidAccessError", "the public key is not one of the same algorithm and curve");
    const secret = ask("agree", known.number, other.number);
    if (length === null || length === undefined) return secret;
    if (length % 8 !== 0 || length > secret.byteLength * 8) {
      throw refused("OperationError", `there are ${secret.byteLength * 8} bits, and whole bytes`);
    }
    return secret.slice(0, length / 8);
  }

  function deriveKey(algorithm, key, wanted, extractable, usages) {
    const made = named(wanted, ["HMAC", "AES-GCM", "HKDF", "PBKDF2"]);
    const length = made.name === "HMAC" || made.name === "AES-GCM" ? bitsOf(made) : null;
    return importKey("raw", derived(algorithm, key, length, "deriveKey"), made, extractable, usages);
  }

  function unsupported() {
    throw refused("NotSupportedError", "keys are not wrapped here: export the key and encrypt it");
  }

  // Whatever goes wrong rejects; nothing throws.
  const methods = {
    digest: (algorithm, data) => ask("digest", hashOf(algorithm), sent(data)),
    generateKey, importKey, exportKey, sign, verify, deriveKey,
    encrypt: cipher("encrypt"),
    decrypt: cipher("decrypt"),
    deriveBits: (algorithm, key, length) => derived(algorithm, key, length, "deriveBits"),
    wrapKey: unsupported,
    unwrapKey: unsupported,
  };
  const subtle = {};
  for (const [name, method] of Object.entries(methods)) subtle[name] = async (...args) => method(...args);

  host.subtle = Object.freeze(subtle);
  host.global("CryptoKey", CryptoKey);
}
