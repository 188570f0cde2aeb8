// Data objects that were lent (spec services §7.3): the borrower has a copy of the
// data, and hears of every change that comes after it. Live data is JSON: tags mean
// nothing in it.
//
//   lender    `{"changed":ref,"change":n,"deltas":[…]}`: the changes from the n-th on
//             `{"changed":ref,"behind":true}`: more than fit; read it again
//   borrower  `{"ref":ref,"snapshot":true}` → `{"data":…,"change":n}`

// Changes in one event; a turn that makes more of them is told as `behind`.
const DELTAS_MAX = 1000;
// Events that wait at a borrower for a snapshot; what comes beyond is in the next one.
const WAITING_MAX = 256;

export default function (host) {
  const { Refusal } = host.rpc;
  // Of each data object: who is to hear of its changes.
  const hearers = new WeakMap();

  function isDataObject(value) {
    return host.data?.DataObject !== undefined && value instanceof host.data.DataObject;
  }

  // ---- the lender -------------------------------------------------------------

  // What the tag of a data object says besides its name.
  function told(desk, loan) {
    if (!isDataObject(loan.value)) return {};
    loan.live ??= follow(desk, loan);
    return { kind: "data-object", ...snapshot(loan) };
  }

  function snapshot({ value, live }) {
    if (live === undefined) throw new Refusal(400, "only a data object has a snapshot");
    live.isBehind = false;
    live.waiting = [];
    return { data: value._tree.raw, change: live.change };
  }

  function follow(desk, loan) {
    const live = { change: 0, waiting: [], isBehind: false, isTold: true };
    const hear = (delta) => {
      live.change += 1;
      if (live.isBehind) return;
      live.waiting.push(delta);
      if (live.waiting.length > 1) return;
      live.isTold = false;
      Promise.resolve().then(() => tell(desk, loan.ref, live));
    };
    const all = hearersOf(loan.value);
    all.add(hear);
    live.stop = () => void all.delete(hear);
    return live;
  }

  // The two places where a data object hears of its changes itself.
  function hearersOf(object) {
    const known = hearers.get(object);
    if (known !== undefined) return known;
    const all = new Set();
    const name = object._changed === undefined ? "_committed" : "_changed";
    const own = object[name];
    const value = (changes) => {
      // At once: a later change of the same turn must not be in it already.
      if (all.size > 0) for (const change of [changes].flat()) notify(all, change);
      return own.call(object, changes);
    };
    Object.defineProperty(object, name, { value, writable: true, configurable: true });
    hearers.set(object, all);
    return all;
  }

  function notify(all, change) {
    const delta = JSON.parse(JSON.stringify(host.data.deltaOf(change)));
    for (const hear of all) hear(delta);
  }

  function tell(desk, ref, live) {
    const deltas = live.waiting;
    live.waiting = [];
    if (desk.isClosed || !desk.lent.has(ref) || deltas.length === 0) return;
    const first = live.change - deltas.length + 1;
    if (deltas.length <= DELTAS_MAX && sent(desk, { changed: ref, change: first, deltas })) return;
    live.isBehind = true;
    sent(desk, { changed: ref, behind: true });
  }

  function sent(desk, body) {
    try {
      desk.bus.postMessage({ type: "event", from: desk.from, to: desk.to, body });
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  // ---- the borrower -------------------------------------------------------------

  function mirror(desk, entry, { data, change }) {
    host.need("syncher");
    const mirror = { desk, entry, change, raw: data ?? {}, filters: new host.data.Filters(), waiting: undefined };
    entry.mirror = mirror;
    return mirror;
  }

  function changed(desk, body) {
    const mirror = desk.borrowed.get(body.changed)?.mirror;
    if (mirror === undefined) return;
    if (mirror.waiting !== undefined) {
      if (mirror.waiting.length < WAITING_MAX) mirror.waiting.push(body);
    } else if (!applied(mirror, body)) readAgain(mirror);
  }

  // False when something is missing in front of it.
  function applied(mirror, { change, deltas, behind }) {
    if (behind === true || !Number.isSafeInteger(change) || change > mirror.change + 1) return false;
    for (const delta of (deltas ?? []).slice(mirror.change + 1 - change)) {
      const changes = host.data.apply(mirror, delta);
      if (changes === undefined) return false;
      mirror.change += 1;
      for (const one of changes) tellFilters(mirror, one);
    }
    return true;
  }

  function readAgain(mirror) {
    mirror.waiting = [];
    const { desk, entry } = mirror;
    const { owner, peer } = desk;
    const link = { owner, peer, desk, entry, timeout: host.rpc.TIME_OUT_MS };
    host.rpc.ask(link, undefined, { snapshot: true }).then(
      (read) => adopt(mirror, read),
      // It was given back or has ended: nothing comes any more.
      () => void (mirror.waiting = undefined),
    );
  }

  function adopt(mirror, { data, change }) {
    const { raw: before, waiting } = mirror;
    Object.assign(mirror, { raw: data, change, waiting: undefined });
    for (const key of new Set([...Object.keys(before), ...Object.keys(data)])) {
      const [was, is] = [before[key], data[key]];
      if (JSON.stringify(was) === JSON.stringify(is)) continue;
      const cType = was === undefined ? "add" : is === undefined ? "remove" : "update";
      tellFilters(mirror, { path: [key], cType, oType: "object", value: is });
    }
    for (const body of waiting) if (!applied(mirror, body)) return readAgain(mirror);
  }

  function tellFilters(mirror, change) {
    const tree = { at: (path) => path.reduce((value, key) => value?.[key], view(mirror)) };
    mirror.filters.tell(change, tree, (callback, event) => {
      host.enter(mirror.desk.owner);
      try {
        callback(event);
      } catch (error) {
        host.report(mirror.desk.owner, error);
      }
    });
  }

  // The copy as it is now. What is written goes to the lender and comes back as a change.
  function view(mirror, raw = mirror.raw, path = ["data"]) {
    return new Proxy(raw, {
      get: (_, key) => {
        const value = raw[key];
        const isInner = typeof value === "object" && value !== null && Object.hasOwn(raw, key);
        return isInner ? view(mirror, value, [...path, key]) : value;
      },
      set: (_, key, value) => write(mirror, { path, set: key, value }),
      deleteProperty: (_, key) => write(mirror, { path, delete: key }),
      defineProperty: () => false,
      setPrototypeOf: () => false,
      preventExtensions: () => false,
    });
  }

  function write({ desk, entry }, body) {
    const { owner, peer } = desk;
    const link = { owner, peer, desk, entry, timeout: host.rpc.TIME_OUT_MS };
    host.rpc.ask(link, undefined, body).catch((error) => host.report(owner, error));
    return true;
  }

  host.rpc.live = { told, snapshot, mirror, changed, view };
}
