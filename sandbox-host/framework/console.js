// `console`: one log line of the component for each call.

const DEPTH_MAX = 3;
const ITEMS_MAX = 100;

// A method of our own objects: what of them tells something. Components hand whole
// buses and data objects to the console, with everything that hangs on them.
const SHOWN = Symbol("shown");

export default function (host) {
  let indent = "";
  const counts = new Map();
  const times = new Map();

  function line(level, args) {
    host.log(host.owner, level, (indent + format(args)).toWellFormed(), new Error().stack);
  }

  host.line = line;
  host.shown = SHOWN;
  const say = (level) => (...args) => line(level, args);
  const stopwatch = (label, ...more) => {
    const passed = host.now() - (times.get(label) ?? host.now());
    line("info", [`${label}: ${passed.toFixed(3)} ms`, ...more]);
  };

  host.global("console", {
    debug: say("debug"),
    log: say("info"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    dir: say("info"),
    table: say("info"),
    trace: (...args) => line("debug", [...args, `\n${new Error().stack}`]),
    assert: (condition, ...args) => condition || line("error", ["assertion failed:", ...args]),
    count: (label = "default") => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      line("info", [`${label}: ${counts.get(label)}`]);
    },
    countReset: (label = "default") => void counts.delete(label),
    time: (label = "default") => void times.set(label, host.now()),
    timeLog: (label = "default", ...args) => stopwatch(label, ...args),
    timeEnd: (label = "default") => {
      stopwatch(label);
      times.delete(label);
    },
    group: (...args) => {
      if (args.length > 0) line("info", args);
      if (indent.length < 40) indent += "  ";
    },
    groupCollapsed: (...args) => globalThis.console.group(...args),
    groupEnd: () => void (indent = indent.slice(2)),
  });
}

function format(args) {
  let rest = args;
  let text = "";
  if (typeof args[0] === "string" && args[0].includes("%") && args.length > 1) {
    let next = 1;
    text = args[0].replace(/%[sdifoOjc%]/g, (mark) => {
      if (mark === "%%") return "%";
      return next < args.length ? placed(mark, args[next++]) : mark;
    });
    rest = args.slice(next);
    if (rest.length > 0) text += " ";
  }
  const plain = (value) => (typeof value === "string" ? value : show(value, 0, []));
  return text + rest.map(plain).join(" ");
}

function placed(mark, value) {
  if (mark === "%c") return "";
  if (mark === "%s") return String(value);
  if (mark === "%d" || mark === "%i") return String(Math.trunc(Number(value)));
  if (mark === "%f") return String(Number(value));
  return show(value, 0, []);
}

// What a value looks like. Never throws: a getter or a proxy may.
function show(value, depth, above) {
  try {
    return shown(value, depth, above);
  } catch {
    return "[unreadable]";
  }
}

function shown(value, depth, above) {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `[function ${value.name || "anonymous"}]`;
  if (typeof value === "bigint") return `${value}n`;
  if (value === null || typeof value !== "object") return String(value);
  if (value instanceof Error) return `${value.name}: ${value.message}\n${value.stack ?? ""}`.trimEnd();
  if (above.includes(value)) return "[circular]";
  if (value instanceof Date || value instanceof RegExp) return String(value);
  if (depth >= DEPTH_MAX) return Array.isArray(value) ? "[…]" : "{…}";
  const inner = (item) => show(item, depth + 1, [...above, value]);
  if (Array.isArray(value)) return `[${cut(value.map(inner))}]`;
  const name = value.constructor?.name;
  if (value instanceof Map) {
    return `Map {${cut([...value].map(([key, item]) => `${inner(key)} => ${inner(item)}`))}}`;
  }
  if (value instanceof Set) return `Set {${cut([...value].map(inner))}}`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return `${name} [${cut([...value.subarray(0, ITEMS_MAX + 1)].map(inner))}]`;
  }
  const prefix = name && name !== "Object" ? `${name} ` : "";
  const told = typeof value[SHOWN] === "function" ? value[SHOWN]() : value;
  return `${prefix}{${cut(Object.keys(told).map((key) => `${key}: ${inner(told[key])}`))}}`;
}

function cut(items) {
  if (items.length <= ITEMS_MAX) return items.join(", ");
  return `${items.slice(0, ITEMS_MAX).join(", ")}, … ${items.length - ITEMS_MAX} more`;
}
