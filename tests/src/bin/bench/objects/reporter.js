// Orders come as `read`: an `execute` is answered by the Syncher.
//
// Reports data objects, and measures how their changes travel: an observer that
// has seen a change says so by an event, with the value it saw.

const syncher = factory.createSyncher(url, bus, config);
const reporters = [];

function reply(m, value) {
  bus.postMessage({ id: m.id, type: "response", from: url, to: m.from, body: { code: 200, value } });
}

function refuse(m, reason) {
  bus.postMessage({ id: m.id, type: "response", from: url, to: m.from,
                    body: { code: 500, desc: String(reason?.message ?? reason) } });
}

async function create({ count }) {
  const urls = [];
  for (let i = 0; i < count; i += 1) {
    const data = { n: 0, text: "x".repeat(200), list: [1, 2, 3] };
    const reporter = await syncher.create(config.schema, [], data, true, false, "bench" + i, {}, {});
    reporter.onSubscription((event) => event.accept());
    reporters.push(reporter);
    urls.push(reporter.url);
  }
  return { urls };
}

async function resume() {
  const begin = performance.now();
  const resumed = await syncher.resumeReporters({ store: true });
  return { count: Object.keys(resumed).length, milliseconds: performance.now() - begin };
}

// `depth` changes are under way at once; a change has arrived when all observers have seen it.
let round;

function measure({ samples, observers, depth }, done) {
  const { data } = reporters[0];
  const nanoseconds = [];
  const open = new Map();
  let made = 0;
  const make = () => {
    made += 1;
    const value = data.n + 1;
    open.set(value, { left: observers, begin: performance.now() });
    data.n = value;
  };
  round = (value) => {
    const one = open.get(value);
    if (one === undefined || --one.left > 0) return;
    open.delete(value);
    nanoseconds.push(Math.round((performance.now() - one.begin) * 1e6));
    if (nanoseconds.length === samples) done({ nanoseconds });
    else if (made < samples) make();
  };
  for (let i = 0; i < Math.min(depth, samples); i += 1) make();
}

bus.addListener(url, (m) => {
  if (m.type === "event") return void round?.(m.body.seen);
  if (m.type !== "read") return;
  const { op } = m.body;
  if (op === "create") create(m.body).then((value) => reply(m, value), (e) => refuse(m, e));
  else if (op === "resume") resume().then((value) => reply(m, value), (e) => refuse(m, e));
  else if (op === "measure") measure(m.body, (value) => reply(m, value));
});
