// structuredClone: a deep copy of data, cycles included.

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

const WRAPPERS = [Boolean, Number, String];
const UNCLONEABLE = [WeakMap, WeakSet, WeakRef, Promise];

export default function (host) {
  host.global("structuredClone", (value, options) => {
    const copies = new Map();
    const moved = options?.transfer ?? [];
    const copy = clone(value, copies);
    for (const buffer of moved) buffer.transfer?.();
    return copy;
  });
}

function clone(value, copies) {
  if (typeof value === "function" || typeof value === "symbol") throw refused(`a ${typeof value}`);
  if (value === null || typeof value !== "object") return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  const keep = (copy) => {
    copies.set(value, copy);
    return copy;
  };
  if (Array.isArray(value)) return members(value, keep(new Array(value.length)), copies);
  if (value instanceof Date) return keep(new Date(value));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (WRAPPERS.some((type) => value instanceof type)) return keep(Object(value.valueOf()));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) return keep(cloneView(value, copies));
  if (value instanceof Map) {
    const copy = keep(new Map());
    for (const [key, item] of [...value]) copy.set(clone(key, copies), clone(item, copies));
    return copy;
  }
  if (value instanceof Set) {
    const copy = keep(new Set());
    for (const item of [...value]) copy.add(clone(item, copies));
    return copy;
  }
  if (value instanceof Error) return cloneError(value, keep, copies);
  const uncloneable = UNCLONEABLE.find((type) => value instanceof type);
  if (uncloneable !== undefined) throw refused(`a ${uncloneable.name}`);
  return members(value, keep({}), copies);
}

function members(from, to, copies) {
  for (const key of Object.keys(from)) {
    const value = clone(from[key], copies);
    Object.defineProperty(to, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return to;
}

function cloneView(view, copies) {
  const buffer = clone(view.buffer, copies);
  const { byteOffset } = view;
  if (view instanceof DataView) return new DataView(buffer, byteOffset, view.byteLength);
  return new view.constructor(buffer, byteOffset, view.length);
}

function cloneError(error, keep, copies) {
  const copy = keep(new (ERRORS[error.name] ?? Error)(error.message));
  const hidden = (value) => ({ value, writable: true, configurable: true });
  Object.defineProperty(copy, "stack", hidden(String(error.stack)));
  if ("cause" in error) Object.defineProperty(copy, "cause", hidden(clone(error.cause, copies)));
  return copy;
}

function refused(what) {
  const reason = `${what} cannot be cloned`;
  if (typeof DOMException === "function") return new DOMException(reason, "DataCloneError");
  return Object.assign(new Error(reason), { name: "DataCloneError" });
}
