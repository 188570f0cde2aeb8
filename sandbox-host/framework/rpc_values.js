// Values between a hyperty and its callers: JSON, and `{"$": …}` where JSON has no word.
//
// The forms stand in protocol/README.md, "The application's API of a hyperty".

// Data of people is ten deep; a parser of any peer manages this much.
const DEPTH_MAX = 64;
// A message has hardly room for more, and the heap for three times as many. A value
// that is shared at each level would have no end.
const VALUES_MAX = 200_000;
// Reading one takes quadratic time.
const BIGINT_DIGITS_MAX = 4096;

const VIEWS = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView,
];
const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
// Objects whose prototypes are the language's own, so that their methods are nobody's API.
const BUILT_IN = new Set([
  Object, Function, Array, Map, Set, Date, RegExp, Promise, ArrayBuffer, Boolean, Number, String,
  WeakMap, WeakSet, WeakRef, ...VIEWS, Object.getPrototypeOf(Int8Array), ...Object.values(ERRORS),
].map((type) => type.prototype));
const UNSENDABLE = [RegExp, Promise, WeakMap, WeakSet, WeakRef];

// Why a call is not done: its answer's code and sentence.
class Refusal extends Error {
  constructor(code, reason) {
    super(reason);
    this.name = "RpcError";
    this.code = code;
  }
}

export default function (host) {
  // ---- out ----------------------------------------------------------------

  // `refer(value, self)` gives the tag of what goes as a reference.
  function encode(value, refer) {
    return out(value, { refer, left: VALUES_MAX }, [], undefined);
  }

  function out(value, work, above, self) {
    if (work.left-- === 0) throw new Refusal(413, `more than ${VALUES_MAX} values cannot be sent`);
    switch (typeof value) {
      case "string": return value.toWellFormed();
      case "boolean": return value;
      case "number": return number(value);
      case "undefined": return { $: "undefined" };
      case "bigint": return bigint(value);
      case "symbol": throw new Refusal(400, "a symbol cannot be sent");
      case "function": return work.refer(value, self);
    }
    if (value === null) return null;
    if (above.includes(value)) throw new Refusal(400, "a value that contains itself cannot be sent");
    if (above.length >= DEPTH_MAX) throw deep();
    return object(value, work, [...above, value]);
  }

  function object(value, work, above) {
    if (host.private.has(value) || value === globalThis) {
      throw new Refusal(403, "what the runtime gave to a component cannot be handed on");
    }
    if (host.rpc.isRemote(value)) return work.refer(value);
    const isList = Array.isArray(value);
    if (!isList && !isPlain(value)) return special(value, work, above);
    // Copied here, because a further call for each level would be felt by the stack.
    const copy = isList ? [] : {};
    for (const key of isList ? value.keys() : Object.keys(value)) {
      if (key === "__proto__") throw new Refusal(400, "a member called `__proto__` cannot be sent");
      // A function keeps the object it was found in, so that `this` is as it was.
      copy[key] = out(value[key], work, above, isList ? undefined : value);
    }
    return !isList && Object.hasOwn(copy, "$") ? { $: "object", value: copy } : copy;
  }

  function isPlain(value) {
    const type = Object.getPrototypeOf(value);
    return type === null || type === Object.prototype;
  }

  function special(value, work, above) {
    const inner = (item) => out(item, work, above, undefined);
    if (value instanceof Date) return { $: "date", value: instant(value) };
    if (value instanceof Map) {
      return { $: "map", value: [...value].map(([key, item]) => [inner(key), inner(item)]) };
    }
    if (value instanceof Set) return { $: "set", value: [...value].map(inner) };
    const bytes = host.bytesOf(value);
    if (bytes !== undefined) {
      const type = VIEWS.find((one) => value instanceof one)?.name ?? "ArrayBuffer";
      return { $: "bytes", type, value: host.toBase64(bytes) };
    }
    if (value instanceof Error) return { $: "error", value: described(value) };
    if ([Boolean, Number, String].some((type) => value instanceof type)) return inner(value.valueOf());
    const unsendable = UNSENDABLE.find((type) => value instanceof type);
    if (unsendable !== undefined) throw new Refusal(400, `a ${unsendable.name} cannot be sent`);
    // A class without methods and getters is only data.
    return isReferenced(value) ? work.refer(value) : inner({ ...value });
  }

  // ---- in -----------------------------------------------------------------

  // `resolve(tag)` gives what a reference stands for.
  function decode(value, resolve) {
    return into(value, resolve, 0);
  }

  function into(value, resolve, depth) {
    if (value === null || typeof value !== "object") return value;
    if (depth >= DEPTH_MAX) throw deep();
    if (Array.isArray(value)) return items(value, resolve, depth);
    if (Object.hasOwn(value, "$")) return untagged(value, resolve, depth);
    return members(value, resolve, depth);
  }

  function items(value, resolve, depth) {
    const copy = [];
    for (let at = 0; at < value.length; at += 1) copy[at] = into(value[at], resolve, depth + 1);
    return copy;
  }

  function members(value, resolve, depth) {
    if (value === null || typeof value !== "object") throw malformed("object");
    const copy = {};
    for (const key of Object.keys(value)) {
      if (key === "__proto__") throw new Refusal(400, "a member is called `__proto__`");
      copy[key] = into(value[key], resolve, depth + 1);
    }
    return copy;
  }

  function untagged(tag, resolve, depth) {
    const list = () => {
      if (!Array.isArray(tag.value)) throw malformed(tag.$);
      return items(tag.value, resolve, depth);
    };
    switch (tag.$) {
      case "undefined": return undefined;
      case "number": return Number(tag.value);
      case "bigint": return readBigint(tag.value);
      case "date": return new Date(tag.value ?? NaN);
      case "map": return new Map(list());
      case "set": return new Set(list());
      case "bytes": return readBytes(tag);
      case "error": return readError(tag.value);
      case "object": return members(tag.value, resolve, depth);
      case "ref":
      case "back": return resolve(tag);
      default: throw malformed(String(tag.$));
    }
  }

  function readBytes({ type, value }) {
    const view = VIEWS.find((one) => one.name === type);
    if (typeof value !== "string" || (view === undefined && type !== "ArrayBuffer")) {
      throw malformed("bytes");
    }
    try {
      const { buffer } = host.fromBase64(value);
      return view === undefined ? buffer : new view(buffer);
    } catch {
      throw malformed("bytes");
    }
  }

  // ---- what counts as what --------------------------------------------------

  // Copied: what is only data. Referenced: what has a class with methods or getters.
  function isReferenced(value) {
    for (const type of ownPrototypes(value)) {
      if (Reflect.ownKeys(type).some((key) => key !== "constructor" && isCode(type, key))) return true;
    }
    return false;
  }

  function isCode(type, key) {
    const property = Object.getOwnPropertyDescriptor(type, key);
    return property.get !== undefined || typeof property.value === "function";
  }

  // The prototypes of an object up to the language's own.
  function* ownPrototypes(value) {
    let type = Object.getPrototypeOf(value);
    while (type !== null && !BUILT_IN.has(type)) {
      yield type;
      type = Object.getPrototypeOf(type);
    }
  }

  host.rpc.Refusal = Refusal;
  host.rpc.encode = encode;
  host.rpc.decode = decode;
  host.rpc.ownPrototypes = ownPrototypes;
  host.rpc.isBuiltIn = (value) => BUILT_IN.has(value);
  host.rpc.described = described;
  host.rpc.readError = readError;
}

function number(value) {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  return { $: "number", value: Object.is(value, -0) ? "-0" : String(value) };
}

function bigint(value) {
  const text = String(value);
  if (text.length > BIGINT_DIGITS_MAX) {
    throw new Refusal(400, `a whole number of more than ${BIGINT_DIGITS_MAX} digits cannot be sent`);
  }
  return { $: "bigint", value: text };
}

function readBigint(text) {
  if (typeof text !== "string" || !/^-?[0-9]{1,4096}$/.test(text)) throw malformed("bigint");
  return BigInt(text);
}

function instant(date) {
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function described(error) {
  const { name, message, code } = error;
  const stack = ownLines(error.stack);
  const told = { name: String(name).toWellFormed(), message: String(message).toWellFormed() };
  if (stack !== "") told.stack = stack;
  if (typeof code === "number" || typeof code === "string") told.code = code;
  return told;
}

// Our own files, and how we call, say nothing to the author of a component.
function ownLines(stack) {
  const lines = String(stack ?? "").toWellFormed().split("\n");
  const isTheirs = (line) => !line.includes("./hyperty/") && line.trim() !== "at apply (native)";
  return lines.filter(isTheirs).join("\n").trimEnd().slice(0, 4096);
}

function readError(told) {
  const { name, message, stack, code } = told ?? {};
  const error = new (ERRORS[name] ?? Error)(String(message ?? ""));
  if (typeof name === "string" && error.name !== name) hide(error, "name", name);
  if (typeof stack === "string") hide(error, "stack", stack);
  if (code !== undefined) error.code = code;
  return error;
}

function hide(object, name, value) {
  Object.defineProperty(object, name, { value, writable: true, configurable: true });
}

function deep() {
  return new Refusal(400, `a value of more than ${DEPTH_MAX} levels cannot be sent`);
}

function malformed(tag) {
  return new Refusal(400, `a value tagged \`${tag}\` is not what the tag says`);
}
