// Somebody else's objects as if they were here: proxies whose use becomes a message.
//
//   await remote.add(1, 2)     a call           await remote.volume     a member
//   await remote.a.b.run()     along a path     remote.volume = 3       an assignment
//
// Whoever holds a proxy holds the reference; `using`, `rethink.release` or the
// garbage collector give it back.

const TIME_OUT_MS = 15_000;
// What a call of a function is answered with when there is nobody to call any more.
const GONE = new Set([404, 410, 503]);
// A function answers to these itself; of an object they are its own methods.
const OF_FUNCTIONS = new Set(["call", "apply", "bind"]);

export default function (host) {
  const { Refusal, encode, decode } = host.rpc;
  // Of each proxy: whose and which it is, and the members that lead to it.
  const remotes = new WeakMap();

  // A reference that was borrowed.
  function remote(desk, entry, tag) {
    const { owner, peer } = desk;
    const isFunction = tag.kind === "function";
    const mirror = tag.kind === "data-object" ? host.rpc.live.mirror(desk, entry, tag) : undefined;
    const methods = names(tag.methods);
    return proxy({ owner, peer, desk, entry, mirror, timeout: TIME_OUT_MS, isFunction, methods, own: {} });
  }

  // The instance of a hyperty in another sandbox.
  function remoteHyperty(owner, peer, { name, methods }, timeout) {
    const own = { name, runtimeHypertyURL: peer, status: "live" };
    return proxy({ owner, peer, timeout, isFunction: false, methods: names(methods), own });
  }

  function names(list) {
    return new Set(Array.isArray(list) ? list.filter((name) => typeof name === "string") : []);
  }

  // `root` is the proxy that this one was reached through: while it is used, that
  // one must not be given back. A root does not refer to itself: it would live
  // until the next search for cycles.
  function proxy(link, path = [], root = undefined) {
    const target = path.length > 0 || link.isFunction ? () => {} : {};
    const made = new Proxy(target, {
      get: (_, name, receiver) => get(link, path, root ?? receiver, target, name),
      set: (_, name, value) => assign(link, path, name, value),
      apply: (_, self, args) => call(link, path, root, args),
      has: (_, name) => path.length === 0 && link.methods.has(name),
      deleteProperty: () => false,
      defineProperty: () => false,
      setPrototypeOf: () => false,
    });
    remotes.set(made, { link, path });
    return made;
  }

  function get(link, path, root, target, name) {
    if (typeof name === "symbol") {
      const isRelease = name === Symbol.dispose && path.length === 0;
      return isRelease ? () => release(root) : Reflect.get(target, name);
    }
    const isRoot = path.length === 0;
    // What an async function returns is awaited: a root must not be taken for a promise.
    if (name === "then") return isRoot || isMethod(link, path) ? undefined : reading(link, path, root);
    if (isRoot && link.isFunction) return Reflect.get(target, name);
    if (isRoot && link.mirror !== undefined) {
      // Here, and not asked for: the copy is kept up to date.
      if (name === "data") return host.rpc.live.view(link.mirror);
      if (name === "onChange") return (filter, callback) => link.mirror.filters.set(filter, callback);
    }
    if (isRoot && name === "instance" && link.entry === undefined) return root;
    if (isRoot && Object.hasOwn(link.own, name)) return link.own[name];
    if (!isRoot && OF_FUNCTIONS.has(name)) return Reflect.get(target, name);
    if (name === "toString") return () => `[remote ${[link.peer, ...path].join(" ")}]`;
    if (name.startsWith("_") || name === "constructor" || name === "toJSON") return undefined;
    return proxy(link, [...path, name], root);
  }

  function isMethod(link, path) {
    return path.length === 1 && link.methods.has(path[0]);
  }

  // `await remote.member`
  function reading(link, path, root) {
    return (resolve, reject) =>
      ask(link, root, { path: path.slice(0, -1), get: path.at(-1) }).then(resolve, reject);
  }

  function assign(link, path, name, value) {
    if (typeof name === "symbol") return false;
    ask(link, undefined, { path, set: name, value }).catch((error) => host.report(link.owner, error));
    return true;
  }

  function call(link, path, root, args) {
    if (path.length > 0) return ask(link, root, { path: path.slice(0, -1), method: path.at(-1), args });
    const answer = ask(link, root, { args });
    // Who calls a listener does not look at what becomes of it; its owner was told.
    answer.catch(() => {});
    return answer;
  }

  // ---- asking -------------------------------------------------------------------

  function ask(link, root, body) {
    return new Promise((resolve, reject) => {
      const taken = [];
      let desk;
      try {
        desk = link.desk ?? host.rpc.deskOf(link.owner, link.peer);
        post(link, desk, written(link, desk, body, taken), (reply) => {
          desk.open -= 1;
          if (link.isFunction && GONE.has(Number(reply.code))) link.entry.isGone = true;
          // `root` is held until here, so that it is not given back before.
          settle(desk, reply, resolve, reject, root);
        });
      } catch (error) {
        for (const ref of taken) host.rpc.giveBack(desk, ref, 1);
        if (desk !== undefined) host.rpc.tidy(desk);
        return reject(plain(error));
      }
      host.rpc.watch(desk);
    });
  }

  function written(link, desk, body, taken) {
    if (link.entry?.isReleased) throw new Refusal(410, "the reference was given back already");
    // A listener that is told of every tick would ask the core each time.
    if (link.entry?.isGone) throw new Refusal(410, `\`${link.peer}\`, whose function it was, is gone`);
    const refer = (item, self) => refers(desk, item, self, taken);
    const wanted = { ...body };
    if (link.entry !== undefined) wanted.ref = link.entry.ref;
    if (wanted.path?.length === 0) delete wanted.path;
    if ("args" in body) wanted.args = encode([...body.args], refer);
    if ("value" in body) wanted.value = encode(body.value, refer);
    return wanted;
  }

  function post(link, desk, body, onReply) {
    desk.bus._responseTimeOut = link.timeout;
    const message = { type: "execute", from: desk.from, to: desk.to, body };
    desk.bus.postMessage(message, (reply) => {
      if (Number(reply.body?.code) >= 200) onReply(reply.body);
    });
    desk.open += 1;
  }

  function settle(desk, body, resolve, reject) {
    try {
      if (Number(body.code) >= 300) reject(failure(body));
      else resolve(decode(body.value, (tag) => host.rpc.resolve(desk, tag)));
    } catch (error) {
      reject(plain(error));
    }
    host.rpc.tidy(desk);
  }

  function failure({ code, desc, description, error }) {
    if (error !== undefined) return host.rpc.readError(error);
    return failed(Number(code), String(desc ?? description ?? "it failed without a reason"));
  }

  // A refusal that a component sees must not pass for one of its own when it throws it on.
  function plain(error) {
    return error instanceof Refusal ? failed(error.code, error.message) : error;
  }

  function failed(code, reason) {
    return Object.assign(new Error(reason), { name: "RpcError", code });
  }

  // ---- for the other files ---------------------------------------------------------

  // The tag of what goes as a reference: lent, or given back to whom it belongs to.
  function refers(desk, item, self, taken) {
    const known = remotes.get(item);
    if (known === undefined) return host.rpc.lend(desk, item, self, taken);
    const { link, path } = known;
    const isTheirs = link.desk === desk && path.length === 0 && !link.entry.isReleased;
    if (isTheirs) return { $: "back", ref: link.entry.ref };
    throw new Refusal(400, `a reference to something of \`${link.peer}\` cannot go to \`${desk.peer}\``);
  }

  function release(value) {
    const link = remotes.get(value)?.link;
    if (link?.entry !== undefined) host.rpc.letGo(link.desk, link.entry);
  }

  Object.assign(host.rpc, { remote, remoteHyperty, refers, release, ask, failed, TIME_OUT_MS });
  host.rpc.isRemote = (value) => remotes.has(value);
}
