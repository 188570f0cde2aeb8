// localStorage and sessionStorage: what a component keeps for itself, under its
// address. The core sends it before the component is loaded and writes what
// changes; reading and writing here waits for nobody.

// As many as the core takes (spec services §6.4 leaves the number to the runtime):
// browsers give an origin about as much. In UTF-16 units, each key costing some.
const UNITS_MAX = 5 * 1024 * 1024;
const ITEM_UNITS = 32;
// JSON writes a unit with six characters at most, and a message has 1 MiB.
const PIECE_UNITS = 64 * 1024;
const KEY_UNITS_MAX = 8 * 1024;
const RETRY_MS = 1000;

export default function (host) {
  const locals = new Map();
  const sessions = new Map();

  function area(areas, read) {
    const owner = host.whose();
    let kept = areas.get(owner);
    if (kept === undefined) {
      kept = {
        owner, items: new Map(), units: 0, refusal: "",
        // What the core does not have yet, and what it is being sent.
        changed: new Set(), isCleared: false, isFlushing: false, sending: [], sendsCleared: false,
      };
      areas.set(owner, kept);
      for (const list of read(owner)) for (const item of JSON.parse(list)) restore(kept, item);
    }
    if (!kept.isFlushing && (kept.changed.size > 0 || kept.isCleared)) note(kept);
    return kept;
  }
  const local = () => area(locals, (owner) => host.seeds.get(owner) ?? []);
  const session = () => area(sessions, () => []);

  function restore(kept, [word, key, value]) {
    const before = kept.items.get(key);
    const after = word === "add" ? before + value : value;
    kept.units += cost(key, after) - (before === undefined ? 0 : cost(key, before));
    kept.items.set(key, after);
  }

  function put(kept, key, value, isLocal) {
    const before = kept.items.get(key);
    if (before === value) return;
    if (key.length > KEY_UNITS_MAX) {
      throw new DOMException(`a key has at most ${KEY_UNITS_MAX} units of text`, "QuotaExceededError");
    }
    const units = kept.units + cost(key, value) - (before === undefined ? 0 : cost(key, before));
    if (units > kept.units && (units > UNITS_MAX || kept.refusal !== "")) {
      const why = kept.refusal || `${kept.owner} keeps at most ${UNITS_MAX} units of text; remove what is not needed`;
      throw new DOMException(why, "QuotaExceededError");
    }
    kept.units = units;
    kept.items.set(key, value);
    if (isLocal) note(kept, key);
  }

  function drop(kept, key, isLocal) {
    const before = kept.items.get(key);
    if (before === undefined) return;
    kept.units -= cost(key, before);
    kept.items.delete(key);
    if (isLocal) note(kept, key);
  }

  function clear(kept, isLocal) {
    if (kept.items.size === 0) return;
    kept.items.clear();
    kept.units = 0;
    if (!isLocal) return;
    kept.changed.clear();
    kept.isCleared = true;
    note(kept);
  }

  // ---- on the way to the core --------------------------------------------

  // Everything that changes in a turn goes together, and no more goes while the
  // core has something to write: a loop of writes costs one message.
  function note(kept, key) {
    if (key !== undefined) kept.changed.add(key);
    if (kept.isFlushing) return;
    kept.isFlushing = true;
    queueMicrotask(() => flush(kept));
  }

  function flush(kept) {
    // Its address is not its own any more.
    if (host.component(kept.owner) === undefined) {
      kept.isFlushing = false;
      return;
    }
    kept.sending = [...kept.changed];
    kept.sendsCleared = kept.isCleared;
    const batches = batched(kept, kept.sending);
    kept.changed.clear();
    kept.isCleared = false;
    const failed = (body) => {
      unsent(kept);
      const reason = body.desc ?? body.description ?? "no reason given";
      // Too much stays too much until something is removed, anything else passes.
      if (body.code === 413) kept.refusal = `the runtime keeps no more: ${reason}`;
      const text = `localStorage of ${kept.owner} is not kept: ${body.code} ${reason}`;
      host.log(kept.owner, "warn", text, "");
      host.task(kept.owner, () => flush(kept), RETRY_MS);
    };
    send(kept, batches, 0, failed);
  }

  function unsent(kept) {
    for (const key of kept.sending) kept.changed.add(key);
    kept.isCleared ||= kept.sendsCleared;
  }

  function send(kept, batches, at, failed) {
    const body = { items: batches[at], first: at === 0, more: at < batches.length - 1 };
    const message = { type: "update", from: kept.owner, to: `${host.runtime}/storage`, body };
    host.newBus(kept.owner).postMessage(message, ({ body: answer }) => {
      if (answer?.code !== 200) failed(answer ?? {});
      else if (body.more) send(kept, batches, at + 1, failed);
      else {
        kept.refusal = "";
        kept.isFlushing = false;
        if (kept.changed.size > 0 || kept.isCleared) note(kept);
      }
    });
  }

  function batched(kept, keys) {
    const batches = [[]];
    let units = 0;
    const add = (item) => {
      const more = item.reduce((sum, word) => sum + word.length + 8, 0);
      if (units + more > PIECE_UNITS * 2) {
        batches.push([]);
        units = 0;
      }
      units += more;
      batches.at(-1).push(item);
    };
    if (kept.isCleared) add(["clear"]);
    for (const key of keys) {
      const value = kept.items.get(key);
      if (value === undefined) add(["remove", key]);
      else for (const [n, piece] of pieces(value).entries()) add([n === 0 ? "set" : "add", key, piece]);
    }
    return batches;
  }

  // What the core has not said yes to stays: the component may be loaded again at
  // once, with a seed that was made before.
  host.ends.add((owner) => {
    sessions.delete(owner);
    const kept = locals.get(owner);
    if (kept?.isFlushing) {
      unsent(kept);
      kept.isFlushing = false;
    } else locals.delete(owner);
  });

  // ---- what components see ------------------------------------------------

  class Storage {
    constructor() {
      throw new TypeError("there are localStorage and sessionStorage, and no others");
    }
  }

  function storage(of, isLocal) {
    const members = {
      getItem: (key) => of().items.get(text(key)) ?? null,
      setItem: (key, value) => put(of(), text(key), text(value), isLocal),
      removeItem: (key) => drop(of(), text(key), isLocal),
      clear: () => clear(of(), isLocal),
      key: (n) => [...of().items.keys()][n] ?? null,
    };
    const target = Object.create(Storage.prototype);
    // `localStorage.name` is an item, unless it is a member.
    return new Proxy(target, {
      get: (_, name) => {
        if (name === "length") return of().items.size;
        if (Object.hasOwn(members, name)) return members[name];
        if (typeof name === "symbol" || name in target) return target[name];
        return of().items.get(name);
      },
      set: (_, name, value) => {
        if (typeof name !== "symbol") members.setItem(name, value);
        return true;
      },
      has: (_, name) => name in target || Object.hasOwn(members, name) || of().items.has(name),
      deleteProperty: (_, name) => {
        if (typeof name !== "symbol") members.removeItem(name);
        return true;
      },
      ownKeys: () => [...of().items.keys()],
      getOwnPropertyDescriptor: (_, name) => {
        const value = of().items.get(name);
        return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
      },
      defineProperty: (_, name, { value }) => {
        members.setItem(name, value);
        return true;
      },
    });
  }

  host.global("Storage", Storage);
  host.global("localStorage", storage(local, true));
  host.global("sessionStorage", storage(session, false));
}

function cost(key, value) {
  return key.length + value.length + ITEM_UNITS;
}

function text(value) {
  return String(value).toWellFormed();
}

// Never between the halves of a character.
function pieces(value) {
  const pieces = [];
  let at = 0;
  do {
    let end = Math.min(at + PIECE_UNITS, value.length);
    if (end < value.length && (value.charCodeAt(end - 1) & 0xfc00) === 0xd800) end -= 1;
    pieces.push(value.slice(at, end));
    at = end;
  } while (at < value.length);
  return pieces;
}
