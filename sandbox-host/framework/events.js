// Event, CustomEvent and EventTarget, as far as code without a page needs them.

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

  class CustomEvent extends Event {
    constructor(type, options = {}) {
      super(type, options);
      Object.defineProperty(this, "detail", { value: options.detail ?? null, enumerable: true });
    }
  }

  class EventTarget {
    #listeners = new Map();

    addEventListener(type, callback, options) {
      if (callback === null || callback === undefined) return;
      const list = this.#listeners.get(type) ?? [];
      if (list.some((entry) => entry.callback === callback)) return;
      const once = typeof options === "object" && options !== null && Boolean(options.once);
      this.#listeners.set(type, [...list, { callback, once }]);
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

  host.global("Event", Event);
  host.global("CustomEvent", CustomEvent);
  host.global("EventTarget", EventTarget);
}
