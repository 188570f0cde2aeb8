// References between a component and one of its peers: what it lent, what it borrowed.
//
// A lender counts how often it has handed a reference out; the borrower tells how
// many of them it has done with, so that both may speak at once. That the borrower
// is gone the lender hears from the core: a request that nobody answers (`watch`) is
// ended by the core when its receiver ends, and after ten minutes in any case.

// What a page of live objects needs; 10⁴ callbacks of one peer are a mistake of its.
const LENT_TO_A_PEER_MAX = 1024;
// Applications of one user at once, with much room.
const PEERS_MAX = 256;
// Until requests of this sandbox have been answered.
const ASK_AGAIN_MS = 1000;
// In one message, which has room for twenty times as many.
const RELEASED_AT_ONCE_MAX = 1000;

export default function (host) {
  const { Refusal } = host.rpc;
  // Of each component and peer; it is here as long as one holds something of the other.
  const desks = new Map();
  const nameOf = (owner, peer) => `${owner} ${peer}`;
  let lastNumber = 0;
  // A component that was started again must not take an old reference for a new one.
  const epoch = Math.floor(host.random() * 36 ** 6).toString(36);

  function deskOf(owner, peer) {
    const known = desks.get(nameOf(owner, peer));
    if (known !== undefined) return known;
    if (desks.size >= PEERS_MAX) {
      throw new Refusal(429, `more than ${PEERS_MAX} callers hold something of this sandbox`);
    }
    const desk = {
      owner, peer, lent: new Map(), numbers: new Map(), borrowed: new Map(),
      // Calls of the peer that wait for a promise, and how many of ours wait for it.
      calls: new Set(), open: 0,
      done: [], watch: 0, isClosed: false,
      bus: host.newBus(owner), from: `${owner}/api`, to: `${peer}/api`,
    };
    desks.set(nameOf(owner, peer), desk);
    return desk;
  }

  // Forgets a desk that nobody needs.
  function tidy(desk) {
    const isIdle = desk.lent.size === 0 && desk.borrowed.size === 0 && desk.calls.size === 0;
    if (isIdle && desk.open === 0 && desk.done.length === 0 && desk.watch === 0) close(desk);
  }

  function close(desk) {
    desk.isClosed = true;
    desks.delete(nameOf(desk.owner, desk.peer));
  }

  // ---- lending --------------------------------------------------------------

  // `taken` notes what a message lends, for the case that it is not sent.
  function lend(desk, value, self, taken) {
    const loan = loanOf(desk, value, self);
    loan.count += 1;
    taken.push(loan.ref);
    const kind = typeof value === "function" ? "function" : "object";
    return { $: "ref", ref: loan.ref, kind, ...host.rpc.told(value), ...host.rpc.live.told(desk, loan) };
  }

  function loanOf(desk, value, self) {
    // The same function of two objects has two `this`.
    const selves = desk.numbers.get(value) ?? new Map();
    const known = desk.lent.get(selves.get(self));
    if (known !== undefined) return known;
    if (desk.lent.size >= LENT_TO_A_PEER_MAX) {
      throw new Refusal(
        429,
        `\`${desk.peer}\` holds ${LENT_TO_A_PEER_MAX} references of \`${desk.owner}\` already; ` +
          "release some of them first",
      );
    }
    const loan = { ref: `${epoch}-${++lastNumber}`, value, self, count: 0 };
    desk.lent.set(loan.ref, loan);
    desk.numbers.set(value, selves.set(self, loan.ref));
    return loan;
  }

  function giveBack(desk, ref, count) {
    const loan = desk.lent.get(ref);
    if (loan === undefined) return;
    loan.count -= count;
    if (loan.count > 0) return;
    desk.lent.delete(ref);
    loan.live?.stop();
    const selves = desk.numbers.get(loan.value);
    selves?.delete(loan.self);
    if (selves?.size === 0) desk.numbers.delete(loan.value);
  }

  // What the peer has done with: `[[ref, count], …]`.
  function released(desk, list) {
    if (!Array.isArray(list)) return;
    for (const pair of list) {
      const [ref, count] = Array.isArray(pair) ? pair : [];
      if (Number.isSafeInteger(count) && count > 0) giveBack(desk, ref, count);
    }
    tidy(desk);
  }

  // ---- noticing the end of a peer ---------------------------------------------

  function watch(desk) {
    if (desk.watch !== 0 || desk.lent.size === 0) return;
    desk.watcher ??= host.newBus(desk.owner);
    desk.watcher._onPostMessage = ({ id, from, to }) => host.watch(id, from, to);
    ask(desk);
  }

  function ask(desk) {
    const message = { type: "execute", from: desk.from, to: desk.to };
    if (desk.watch !== 0) message.id = desk.watch;
    desk.watch = desk.watcher.postMessage(message, ({ body }) => answered(desk, body), false);
  }

  function answered(desk, { code, desc } = {}) {
    if (!(code >= 200) || desk.isClosed) return;
    // Only the time is over; or the core has no room for one more request now.
    if (code === 408 && desk.lent.size > 0) return ask(desk);
    if (code === 429) return void host.after(ASK_AGAIN_MS, () => !desk.isClosed && ask(desk));
    desk.watch = 0;
    if (code === 403 && desk.lent.size > 0) {
      const reason = `no reference may be given to \`${desk.peer}\`: ${desc ?? "refused"}`;
      host.log(desk.owner, "warn", reason, "");
    }
    forgetLent(desk);
    tidy(desk);
  }

  function forgetLent(desk) {
    for (const loan of desk.lent.values()) loan.live?.stop();
    desk.lent.clear();
    desk.numbers.clear();
  }

  // ---- borrowing --------------------------------------------------------------

  const gone = new FinalizationRegistry(({ desk, entry }) => letGo(desk, entry));

  function borrow(desk, tag) {
    const { ref } = tag;
    if (typeof ref !== "string") throw new Refusal(400, "a reference has no `ref`");
    const known = desk.borrowed.get(ref);
    const living = known?.proxy.deref();
    if (living !== undefined) {
      known.count += 1;
      return living;
    }
    const entry = { ref, count: 1, isReleased: false };
    const proxy = host.rpc.remote(desk, entry, tag);
    entry.proxy = new WeakRef(proxy);
    desk.borrowed.set(ref, entry);
    gone.register(proxy, { desk, entry });
    return proxy;
  }

  // Once for each entry: said explicitly, or when nobody has the proxy any more.
  function letGo(desk, entry) {
    if (entry.isReleased) return;
    entry.isReleased = true;
    if (desk.borrowed.get(entry.ref) === entry) desk.borrowed.delete(entry.ref);
    if (desk.isClosed) return;
    desk.done.push([entry.ref, entry.count]);
    // Many in one turn go in one message.
    if (desk.done.length === 1) Promise.resolve().then(() => tellDone(desk));
  }

  function tellDone(desk) {
    while (desk.done.length > 0 && !desk.isClosed) {
      const release = desk.done.splice(0, RELEASED_AT_ONCE_MAX);
      desk.bus.postMessage({ type: "event", from: desk.from, to: desk.to, body: { release } });
    }
    tidy(desk);
  }

  // ---- for the other files ------------------------------------------------------

  Object.assign(host.rpc, { deskOf, tidy, lend, giveBack, released, watch, borrow, letGo });
  host.rpc.knownDesk = (owner, peer) => desks.get(nameOf(owner, peer));

  // A component that ends takes with it what it lent and borrowed; its peers hear
  // that from the core.
  host.rpc.forget = (owner) => {
    for (const desk of desks.values()) {
      if (desk.owner !== owner) continue;
      forgetLent(desk);
      close(desk);
    }
  };
}
