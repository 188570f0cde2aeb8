// Values of live data: plain JSON, and never shared.
//
// What a component assigns is copied by way of its JSON, so that a live object
// is a tree without aliases, cycles, getters or classes, and is for the reporter
// what it is for each observer.

/**
 * Bytes of JSON of one object's data.
 *
 * One message of 1 MiB carries all of it: what an observer reads and what a
 * reporter sends to be in step again. 64 KiB are for the rest of such an answer,
 * 16 KiB for the metadata, which the Sync Manager counts as well.
 */
const DATA_BYTES_MAX = 1024 * 1024 - 80 * 1024;

/** Containers in each other; the Sync Manager takes 64, with those above them. */
const DATA_DEPTH_MAX = 60;

// Reading them from an object finds its prototype; some peer's code would write there.
const REFUSED_KEYS = new Set(["__proto__", "constructor", "prototype"]);

const ASCII = /^[\x00-\x7f]*$/;
const LONE_SURROGATE = /\\\\|\\ud[89a-f][0-9a-f]{2}/gi;

export default function (host) {
  const utf8 = (text) => (ASCII.test(text) ? text.length : host.encode(text).byteLength);

  /**
   * Bytes of a plain value's JSON, with a comma behind the last members too: what
   * comes and goes counts the same then, whatever is beside it.
   */
  const bytesOf = (value) => utf8(JSON.stringify(value)) + filled(value);

  /** @returns {number} bytes that a member's name adds */
  const keyBytes = (key) => utf8(JSON.stringify(key)) + 2;

  /**
   * Copies what a component assigns.
   *
   * @param {unknown} value
   * @param {() => string} where the place, for the error
   * @returns {{value: unknown, bytes: number} | undefined} undefined for what has no JSON
   * @throws {TypeError} a value that holds itself, or a refused key
   * @throws {RangeError} too large or too deep
   */
  function copied(value, where) {
    const simple = copiedSimple(value);
    if (simple !== undefined) return simple;
    const text = textOf(value, where);
    if (text === undefined) return undefined;
    const bytes = utf8(text);
    if (bytes > DATA_BYTES_MAX) throw tooLarge(where, bytes);
    const copy = JSON.parse(text);
    return { value: copy, bytes: bytes + inspect(copy, 1, where) };
  }

  /**
   * Copies what came in a message. Other listeners may hold the same message, and
   * refused keys of a foreign runtime are left out.
   */
  function received(value) {
    if (value === null || typeof value !== "object") return value;
    const copy = JSON.parse(JSON.stringify(value));
    strip(copy, 1);
    return copy;
  }

  host.data = { DATA_BYTES_MAX, bytesOf, keyBytes, copied, received, checkKey, tooLarge, isContainer };
}

// What is nearly always assigned, without the way by its JSON.
function copiedSimple(value) {
  if (value === null) return { value, bytes: 4 };
  if (typeof value === "boolean") return { value, bytes: value ? 4 : 5 };
  if (typeof value !== "number") return undefined;
  if (!Number.isFinite(value)) return { value: null, bytes: 4 };
  // JSON has no -0.
  return { value: value || 0, bytes: String(value).length };
}

function isContainer(value) {
  return value !== null && typeof value === "object";
}

function textOf(value, where) {
  let text;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    // The engine's own words say nothing of the place.
    if (!(error instanceof TypeError && error.message.includes("circular"))) throw error;
    throw new TypeError(`cannot assign to \`${where()}\`: the value holds itself`);
  }
  // Half a character has no UTF-8; its escape would be refused on the way.
  if (!text?.includes("\\ud")) return text;
  return text.replace(LONE_SURROGATE, (found) => (found === "\\\\" ? found : "\\ufffd"));
}

// Refuses what live data may not have; counts as `filled` does.
function inspect(value, depth, where) {
  if (!isContainer(value)) return 0;
  if (depth > DATA_DEPTH_MAX) {
    throw new RangeError(`cannot assign to \`${where()}\`: more than ${DATA_DEPTH_MAX} objects in each other`);
  }
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += inspect(item, depth + 1, where);
    return value.length > 0 ? count + 1 : 0;
  }
  const keys = Object.keys(value);
  for (const key of keys) {
    checkKey(key, where);
    count += inspect(value[key], depth + 1, where);
  }
  return keys.length > 0 ? count + 1 : 0;
}

// How many containers of a plain value have something in them.
function filled(value) {
  if (!isContainer(value)) return 0;
  const members = Array.isArray(value) ? value : Object.values(value);
  return members.reduce((sum, member) => sum + filled(member), members.length > 0 ? 1 : 0);
}

function strip(value, depth) {
  if (!isContainer(value)) return;
  if (depth > DATA_DEPTH_MAX) throw new RangeError(`more than ${DATA_DEPTH_MAX} objects in each other`);
  for (const key of Object.keys(value)) {
    if (REFUSED_KEYS.has(key)) delete value[key];
    else strip(value[key], depth + 1);
  }
}

/** @throws {TypeError} for a key that live data may not have */
function checkKey(key, where) {
  if (REFUSED_KEYS.has(key)) {
    throw new TypeError(`cannot assign to \`${where()}\`: live data has no member \`${key}\`; choose another name`);
  }
  if (!key.isWellFormed()) throw new TypeError(`cannot assign to \`${where()}\`: a key is not well-formed text`);
}

function tooLarge(where, bytes) {
  const limit = `the most is ${DATA_BYTES_MAX}; divide it among several objects`;
  return new RangeError(`cannot assign to \`${where()}\`: the data would have ${bytes} bytes, ${limit}`);
}
