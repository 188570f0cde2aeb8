// Events and their targets, as far as code without a page needs them.

export default function (host) {
  const states = new WeakMap();

  class Event {
    constructor(type, { bubbles = false, cancelable = false } = {}) {
      if (arguments.length === 0) throw new TypeError("an event needs a type");
      const state = { type: String(type), bubbles, cancelable, target: null, at: host.now() };
      states.set(this, { ...state, prevented: false, stopped: false });
    }

    get type() { return states.get(this).type; }
    get bubbles() { return states.get(this).bubbles; }
    get cancelable() { return states.get(this).cancelable; }
    get defaultPrevented() { return states.get(this).prevented; }
    get target() { return states.get(this).target; }
    get currentTarget() { return states.get(this).target; }
    get timeStamp() { return states.get(this).at; }

    preventDefault() {
      const state = states.get(this);
      if (state.cancelable) state.prevented = true;
    }

    stopPropagation() {}

    stopImmediatePropagation() {
      states.get(this).stopped = true;
    }
  }

  // An event class with further members and what they are by default.
  function kind(name, defaults) {
    const made = class extends Event {
      constructor(type, options = {}) {
        super(type, options);
        for (const member of Object.keys(defaults)) {
          const value = options?.[member] ?? defaults[member];
          Object.defineProperty(this, member, { value, enumerable: true });
        }
      }
    };
    Object.defineProperty(made, "name", { value: name });
    host.global(name, made);
  }

  class EventTarget {
    #listeners = new Map();

    addEventListener(type, callback, options) {
      if (callback === null || callback === undefined) return;
      const signal = options?.signal;
      if (signal?.aborted) return;
      const list = this.#listeners.get(type) ?? [];
      if (list.some((entry) => entry.callback === callback)) return;
      const once = typeof options === "object" && options !== null && Boolean(options.once);
      this.#listeners.set(type, [...list, { callback, once }]);
      signal?.addEventListener("abort", () => this.removeEventListener(type, callback));
    }

    removeEventListener(type, callback) {
      const list = this.#listeners.get(type) ?? [];
      this.#listeners.set(type, list.filter((entry) => entry.callback !== callback));
    }

    dispatchEvent(event) {
      const state = states.get(event);
      if (state === undefined) throw new TypeError("dispatchEvent needs an Event");
      state.target = this;
      for (const { callback, once } of this.#listeners.get(event.type) ?? []) {
        if (state.stopped) break;
        if (once) this.removeEventListener(event.type, callback);
        try {
          if (typeof callback === "function") callback.call(this, event);
          else callback.handleEvent(event);
        } catch (error) {
          host.report(host.owner, error);
        }
      }
      return !state.prevented;
    }
  }

  // `target.onopen = f` is a listener that takes its place when it is first set.
  host.attributes = (type, names) => {
    for (const name of names) {
      const handlers = new WeakMap();
      Object.defineProperty(type.prototype, `on${name}`, {
        get() {
          return handlers.get(this)?.callback ?? null;
        },
        set(callback) {
          const handler = handlers.get(this) ?? {};
          if (!handlers.has(this)) {
            handlers.set(this, handler);
            this.addEventListener(name, (event) => handler.callback?.call(this, event));
          }
          handler.callback = typeof callback === "function" ? callback : null;
        },
        configurable: true,
        enumerable: true,
      });
    }
  };

  // Members of the class and of its objects, as `WebSocket.OPEN` is.
  host.constants = (type, values) => {
    for (const [name, value] of Object.entries(values)) {
      Object.defineProperty(type, name, { value, enumerable: true });
      Object.defineProperty(type.prototype, name, { value, enumerable: true });
    }
  };

  host.global("Event", Event);
  host.global("EventTarget", EventTarget);
  kind("CustomEvent", { detail: null });
  kind("ErrorEvent", { message: "", filename: "", lineno: 0, colno: 0, error: null });
  kind("MessageEvent", { data: null, origin: "", lastEventId: "", source: null, ports: [] });
  kind("CloseEvent", { wasClean: false, code: 0, reason: "" });
  kind("ProgressEvent", { lengthComputable: false, loaded: 0, total: 0 });
}
