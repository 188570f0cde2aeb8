// Timers: what a component starts ends with it, and cannot flood the sandbox.
//
// The due times are kept by the host (`host.arm`), the callbacks here.

// A published stub re-arms `setTimeout(fn)` until its socket opens. Without a
// floor for nested timers that is a busy loop.
const NESTED_MAX = 4;
const NESTED_DELAY_MS = 4;
const DELAY_MS_MAX = 2 ** 31 - 1;

export default function (host) {
  const timers = new Map();
  let lastId = 0;
  let counted = 0;

  function start(callback, delay, args, repeats) {
    if (typeof callback !== "function") throw new TypeError("a timer needs a function to call");
    const most = host.timersMax();
    if (counted >= most) throw new RangeError(`more than ${most} timers`);
    counted += 1;
    const floor = repeats || host.nesting > NESTED_MAX ? NESTED_DELAY_MS : 1;
    // `!(a > b)` also catches what is not a number.
    const wait = !(delay > floor) ? floor : Math.min(delay, DELAY_MS_MAX);
    return add({ callback, args, owner: host.owner, every: repeats ? wait : 0, counts: 1 }, wait);
  }

  function add(timer, wait) {
    const id = ++lastId;
    timer.nesting = host.nesting + 1;
    timer.due = host.arm(id, wait);
    timers.set(id, timer);
    return id;
  }

  function stop(id) {
    const timer = timers.get(Number(id));
    if (timer === undefined) return;
    timers.delete(Number(id));
    counted -= timer.counts;
    host.disarm(Number(id), timer.due);
  }

  // For the framework itself: not counted, and not the component's.
  host.after = (wait, callback) =>
    add({ callback, args: [], owner: "", every: 0, counts: 0 }, wait);

  // For services, which wait for their component: counted, and ended with it.
  host.wait = (wait, callback) => start(callback, wait, [], false);

  // For the framework on behalf of a component, soon: what a browser does in a
  // task of its own. With the floor of nested timers, for the same reason.
  host.task = (owner, callback, wait = 0) => {
    const floor = host.nesting > NESTED_MAX ? NESTED_DELAY_MS : 0;
    return add({ callback, args: [], owner, every: 0, counts: 0 }, Math.max(wait, floor));
  };

  host.fire = (id) => {
    const timer = timers.get(id);
    if (timer === undefined) return;
    if (timer.every > 0) timer.due = host.arm(id, timer.every);
    else {
      timers.delete(id);
      counted -= timer.counts;
    }
    host.enter(timer.owner, timer.nesting);
    try {
      timer.callback.apply(globalThis, timer.args);
    } catch (error) {
      host.report(timer.owner, error);
    }
  };

  host.stopTimersOf = (owner) => {
    for (const [id, timer] of timers) if (timer.owner === owner) stop(id);
  };

  host.global("setTimeout", (callback, delay, ...args) => start(callback, delay, args, false));
  host.global("setInterval", (callback, delay, ...args) => start(callback, delay, args, true));
  host.global("clearTimeout", stop);
  host.global("clearInterval", stop);
}
