// The bus that components are handed, and their only way out of the sandbox.
//
// Listeners, pending requests and message numbers are shared by all components
// of the sandbox. Each component has a bus object of its own, so that what it
// added can be taken away with it.

const RESPONSE_TIME_OUT_MS = 15000;
const ENVELOPE = new Set(["id", "type", "from", "to", "body"]);

export default function (host) {
  const listeners = new Map();
  const pending = new Map();
  let lastId = 0;

  // ---- calling listeners ------------------------------------------------

  // What is being delivered, innermost last. It is kept outside of the stack:
  // a listener that the engine interrupts ends its own turn only, the host then
  // calls `host.resume` for the listeners behind it.
  const deliveries = [];

  function deliver(message, list, fallback) {
    const depth = deliveries.length;
    deliveries.push({ message, list, at: 0, fallback });
    drain(depth);
  }

  function drain(depth) {
    while (deliveries.length > depth) {
      const delivery = deliveries[deliveries.length - 1];
      const listener = next(delivery);
      if (listener === undefined) deliveries.pop();
      else call(listener, delivery.message);
    }
  }

  function next(delivery) {
    while (delivery.at < delivery.list.length) {
      const listener = delivery.list[delivery.at++];
      if (listener.active) return listener;
    }
    if (!delivery.fallback) return undefined;
    delivery.fallback = false;
    delivery.list = listeners.get("*") ?? [];
    delivery.at = 0;
    return next(delivery);
  }

  function call(listener, message) {
    host.enter(listener.owner);
    try {
      listener.callback(message);
    } catch (error) {
      host.report(listener.owner, error);
    }
  }

  host.resume = () => drain(0);
  host.abandon = () => void (deliveries.length = 0);

  // ---- receiving --------------------------------------------------------

  // One address has two names (spec messaging §2.2): who listens to one of them is
  // meant by the other as well.
  function otherSpelling(to) {
    if (typeof to !== "string") return undefined;
    if (to.startsWith("hyperty-runtime://")) return to.slice("hyperty-".length);
    return to.startsWith("runtime://") ? `hyperty-${to}` : undefined;
  }

  function receive(message) {
    if (message.type === "response" && answer(message)) return;
    const list = listeners.get(message.to) ?? listeners.get(otherSpelling(message.to));
    if (list === undefined) {
      // A component that listens there itself has an API of its own making.
      const served = host.served(message);
      deliver(message, served ?? [], served === undefined);
    } else {
      // By the letter of the published bus: the text `hyperty`, so that
      // `hyperty-runtime://` counts as well.
      deliver(message, list, !String(message.to).startsWith("hyperty"));
    }
  }

  function answer(message) {
    const key = message.to + message.id;
    const request = pending.get(key);
    if (request === undefined) return false;
    // A numeric string counts, a text such as "2XX" never ends the request.
    if (message.body?.code >= 200) pending.delete(key);
    deliver(message, [request], false);
    return true;
  }

  host.deliver = (id, type, from, to, body, members) => {
    const message = { id, type, from, to, body };
    if (members !== undefined) carry(members, message);
    receive(message);
  };

  // Not `Object.assign`: a member called `__proto__` would replace the prototype.
  function carry(members, message) {
    for (const name of Object.keys(members)) {
      if (Object.hasOwn(message, name)) continue;
      const property = { value: members[name], writable: true, enumerable: true, configurable: true };
      Object.defineProperty(message, name, property);
    }
  }

  // ---- time-outs --------------------------------------------------------

  // One timer for all requests: there may be thousands, nearly all of which
  // are answered long before.
  let alarm = Infinity;

  function watch(deadline) {
    if (deadline >= alarm) return;
    alarm = deadline;
    host.after(Math.max(deadline - host.now(), 0), expire);
  }

  function expire() {
    const now = host.now();
    const late = [];
    let soonest = Infinity;
    for (const [key, request] of pending) {
      if (request.deadline <= now) late.push([key, request]);
      else if (request.deadline < soonest) soonest = request.deadline;
    }
    alarm = Infinity;
    watch(soonest);
    for (const [key] of late) pending.delete(key);
    // The first is called first: `deliveries` is a stack.
    for (const [, request] of late.reverse()) {
      const message = timedOut(request.message);
      deliveries.push({ message, list: [request], at: 0, fallback: false });
    }
    drain(0);
  }

  function timedOut(request) {
    return {
      id: request.id,
      type: "response",
      body: { code: 408, desc: "Response timeout!", value: request },
    };
  }

  // ---- sending ----------------------------------------------------------

  function send(message) {
    let members;
    for (const name of Object.keys(message)) {
      if (ENVELOPE.has(name)) continue;
      members ??= {};
      members[name] = message[name];
    }
    const { body = {}, to } = message;
    const id = numbered(message.id);
    const type = text("type", message.type);
    const from = text("from", message.from);
    for (const address of Array.isArray(to) ? to : [to]) {
      host.send(id, type, from, text("to", address), body, members);
    }
  }

  function numbered(id) {
    const number = typeof id === "string" ? Number(id) : id;
    if (Number.isSafeInteger(number) && number > 0) return number;
    throw new TypeError(
      `cannot post a message: its id \`${String(id)}\` is not a whole number above 0`,
    );
  }

  function text(name, value) {
    if (typeof value === "string" && value !== "") return value;
    const found = value === "" ? "empty" : typeof value;
    throw new TypeError(`cannot post a message: its \`${name}\` is ${found}`);
  }

  // ---- listening --------------------------------------------------------

  function listen(listener) {
    // A new list each time: one that is being called stays as it was.
    listeners.set(listener.url, [...(listeners.get(listener.url) ?? []), listener]);
    if (listener.isTold) host.listen(listener.owner, String(listener.url));
  }

  function unlisten(listener) {
    if (!listener.active) return;
    listener.active = false;
    const left = listeners.get(listener.url).filter((other) => other !== listener);
    if (left.length > 0) listeners.set(listener.url, left);
    else listeners.delete(listener.url);
    if (listener.isTold) host.unlisten(listener.owner, String(listener.url));
  }

  // Whether a component listens there itself, not only the framework for it.
  host.isHeard = (url) => (listeners.get(url) ?? []).some((listener) => listener.isTold);

  // What a component added ends with it.
  host.forget = (owner) => {
    for (const listener of [...listeners.values()].flat()) {
      if (listener.owner === owner) unlisten(listener);
    }
    for (const [key, request] of pending) {
      if (request.owner === owner) pending.delete(key);
    }
  };

  // ---- what components see ----------------------------------------------

  // Functions and no class: components take members off the bus, or wrap it.
  host.newBus = (owner) => {
    const hear = (url, callback, isTold) => {
      if (typeof callback !== "function") throw new TypeError("a listener needs a function to call");
      const listener = { url, callback, owner, isTold, active: true };
      listen(listener);
      return { url, remove: () => unlisten(listener) };
    };
    const bus = {
      [host.shown]: () => ({ owner }),
      _responseTimeOut: RESPONSE_TIME_OUT_MS,
      _onPostMessage: send,
      _onMessage: receive,

      addListener(url, callback) {
        return hear(url, callback, true);
      },

      // What the core delivers anyway, such as the updates of a data object that
      // this component observes: the core is not asked.
      _hear: (url, callback) => hear(url, callback, false),

      removeAllListenersOf(url) {
        for (const listener of listeners.get(url) ?? []) unlisten(listener);
      },

      postMessage(message, callback, timeout = true) {
        if (!message.id) message.id = ++lastId;
        const key = message.from + message.id;
        if (callback) {
          const deadline = timeout === false ? Infinity : host.now() + bus._responseTimeOut;
          pending.set(key, { callback, message, deadline, owner, active: true });
          watch(deadline);
        }
        try {
          bus._onPostMessage(message);
        } catch (error) {
          if (callback) pending.delete(key);
          throw error;
        }
        return message.id;
      },

      postMessageWithRetries(message, retries, callback) {
        return new Promise((resolve, reject) => {
          let left = Number(retries) || 0;
          const attempt = () => bus.postMessage(message, (reply) => {
            const code = reply.body?.code;
            if (code !== 408 && code !== 500) {
              callback?.(reply);
              resolve(reply);
            } else if (left-- > 0) attempt();
            else reject(exhausted(message, reply, code));
          });
          attempt();
        });
      },

      addResponseListener(from, id, callback) {
        pending.set(from + id, { callback, deadline: Infinity, owner, active: true });
      },

      removeResponseListener(from, id) {
        pending.delete(from + id);
      },

      bind(outUrl, inUrl, target) {
        const thisListener = bus.addListener(outUrl, (message) => target.postMessage(message));
        const targetListener = target.addListener(inUrl, (message) => bus.postMessage(message));
        const unbind = () => {
          thisListener.remove();
          targetListener.remove();
        };
        return { thisListener, targetListener, unbind };
      },
    };
    host.private.add(bus);
    return bus;
  };

  function exhausted(message, reply, code) {
    const reason = reply.body?.desc ?? reply.body?.description ?? "no reason given";
    const error = new Error(`no answer from \`${message.to}\` after all retries: ${code} ${reason}`);
    return Object.assign(error, { code, reply });
  }
}
