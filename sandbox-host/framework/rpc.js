// The API of every component: calls that come to `<address>/api`, and `requireHyperty`.
//
// Loaded with the first such call, or when a component first asks for somebody
// else's. The shapes stand in protocol/README.md, "The application's API of a
// hyperty".

// Calls of one caller that wait for a promise.
const OPEN_MAX = 256;
// Nobody waits for an answer longer than that.
const OPEN_MS_MAX = 10 * 60 * 1000;
const REASON_CHARACTERS_MAX = 4096;

export default function (host) {
  host.rpc = {};
  // In this order: each uses the ones before it.
  const files = ["values", "remote", "members", "live", "references", "require"];
  for (const file of files) host.need(`rpc_${file}`);
  const { Refusal, encode, decode, deskOf } = host.rpc;

  // The listeners of one message. The second one runs when the engine has ended
  // the first, which could not answer any more.
  host.serve = (component, message) => {
    const call = { component, message, peer: peerOf(String(message.from)), state: "new" };
    const listener = (callback) => ({ owner: component.url, callback, active: true });
    return [listener(() => begin(call)), listener(() => overran(call))];
  };

  function begin(call) {
    const { message, component, peer } = call;
    const body = message.body ?? {};
    if (message.type === "response") return;
    if (message.type === "event") {
      const desk = host.rpc.knownDesk(component.url, peer);
      if (desk === undefined) return;
      if (body.changed !== undefined) host.rpc.live.changed(desk, body);
      else host.rpc.released(desk, body.release);
      return;
    }
    // The core answers it when this component ends.
    if (message.type === "execute" && body.watch === true) return;
    call.state = "running";
    try {
      const outcome = perform(call, body);
      if (typeof outcome?.then === "function") wait(call, outcome);
      else succeed(call, outcome);
    } catch (error) {
      fail(call, error);
    }
  }

  function wait(call, promise) {
    call.state = "waiting";
    call.since = host.now();
    call.desk.calls.add(call);
    const inTime = (act) => (value) => void (call.state === "waiting" && act(call, value));
    Promise.resolve(promise).then(inTime(succeed), inTime(fail));
  }

  function overran(call) {
    if (call.state === "running") fail(call, new Refusal(500, "it ran too long without returning"));
  }

  // ---- what is asked for ------------------------------------------------------

  function perform(call, body) {
    if (call.message.type !== "execute") {
      throw new Refusal(405, `an API is asked with \`execute\`, not with \`${call.message.type}\``);
    }
    call.desk = deskOf(call.component.url, call.peer);
    makeRoom(call);
    const loan = started(call, body);
    const { value: start, self } = loan;
    if (body.snapshot === true) return host.rpc.live.snapshot(loan);
    if (body.describe === true) return described(call, start, body);
    if (typeof start === "function") return apply(call, start, self, body);
    const at = host.rpc.walk(start, body.path);
    if (body.get !== undefined) return host.rpc.member(at, body.get);
    if (body.set !== undefined) {
      return host.rpc.assign(at, body.set, decode(body.value, (tag) => resolve(call.desk, tag)));
    }
    if (body.delete !== undefined) return host.rpc.remove(at, body.delete);
    if (body.method === undefined) throw new Refusal(400, "neither `method`, `get` nor `set` is said");
    return apply(call, host.rpc.method(at, body.method), at, body);
  }

  function described({ component }, start, { path = [], ref }) {
    const told = host.rpc.describe(host.rpc.walk(start, path));
    // The class of a bundle is called `t`; the component has a name.
    return ref === undefined && path.length === 0 ? { ...told, name: component.name } : told;
  }

  function makeRoom({ desk, peer }) {
    if (desk.calls.size < OPEN_MAX) return;
    const late = new Refusal(408, "it did not come to an end in time");
    for (const call of desk.calls) if (host.now() - call.since > OPEN_MS_MAX) fail(call, late);
    if (desk.calls.size < OPEN_MAX) return;
    throw new Refusal(429, `${OPEN_MAX} calls of \`${peer}\` wait here already; try later`);
  }

  function apply(call, method, self, { args = [] }) {
    if (!Array.isArray(args)) throw new Refusal(400, "`args` is not a list");
    const values = decode(args, (tag) => resolve(call.desk, tag));
    return Reflect.apply(method, self, values);
  }

  // The object that the path begins at: one that was lent, or the component itself.
  function started({ component, desk }, { ref }) {
    if (ref !== undefined) {
      const loan = desk.lent.get(ref);
      if (loan === undefined) throw unknown(ref);
      return loan;
    }
    const root = instanceOf(component);
    if (root !== undefined) return { value: root };
    throw new Refusal(404, `\`${component.url}\` has no API: it is not a hyperty with an instance`);
  }

  // In the first generation `activate` returned it.
  function instanceOf({ kind, instance, result }) {
    const root = instance ?? result?.instance ?? result;
    return kind === "hyperty" && root !== null && typeof root === "object" ? root : undefined;
  }

  function unknown(ref) {
    return new Refusal(410, `the reference \`${ref}\` was released, or its owner was started again`);
  }

  // What a reference in a message stands for here.
  function resolve(desk, tag) {
    if (tag.$ === "ref") return host.rpc.borrow(desk, tag);
    const loan = desk.lent.get(tag.ref);
    if (loan === undefined) throw unknown(tag.ref);
    return loan.value;
  }

  // ---- answers ------------------------------------------------------------------

  function succeed(call, value) {
    const taken = [];
    try {
      const refer = (item, self) => host.rpc.refers(call.desk, item, self, taken);
      reply(call, { code: 200, value: encode(value, refer) });
    } catch (error) {
      for (const ref of taken) host.rpc.giveBack(call.desk, ref, 1);
      return fail(call, error);
    }
    host.rpc.watch(call.desk);
    end(call);
  }

  function fail(call, error) {
    try {
      reply(call, refused(error));
    } catch (unsaid) {
      host.report(call.component.url, unsaid);
    }
    end(call);
  }

  function end(call) {
    call.state = "ended";
    call.desk?.calls.delete(call);
    if (call.desk !== undefined) host.rpc.tidy(call.desk);
  }

  function refused(error) {
    if (error instanceof Refusal) {
      return { code: error.code, desc: error.message, description: error.message };
    }
    const told = thrown(error);
    const desc = `it threw ${told.name}: ${told.message}`.slice(0, REASON_CHARACTERS_MAX);
    return { code: 500, desc, description: desc, error: told };
  }

  function reply({ component, message }, body) {
    const answer = { id: message.id, type: "response", from: message.to, to: message.from, body };
    component.answers ??= host.newBus(component.url);
    try {
      component.answers.postMessage(answer);
    } catch (error) {
      if (body.code !== 200 || !(error instanceof RangeError)) throw error;
      throw new Refusal(413, `the result does not fit into a message: ${error.message}`);
    }
  }

  // Anything can be thrown, also what cannot be shown.
  function thrown(error) {
    try {
      if (error instanceof Error) return host.rpc.described(error);
      return { name: "Error", message: String(error).toWellFormed().slice(0, REASON_CHARACTERS_MAX) };
    } catch {
      return { name: "Error", message: "what was thrown cannot be shown" };
    }
  }

  Object.assign(host.rpc, { resolve, instanceOf });
  host.ends.add(host.rpc.forget);
}

// The callbacks of `<address>` are called below it, as its methods are.
function peerOf(address) {
  return address.endsWith("/api") ? address.slice(0, -"/api".length) : address;
}
