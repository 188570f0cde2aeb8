// AbortController and AbortSignal.

const KEY = Symbol("made by a controller");

export default function (host) {
  const { EventTarget, Event } = host.need("events");
  const states = new WeakMap();

  class AbortSignal extends EventTarget {
    constructor(key) {
      if (key !== KEY) throw new TypeError("an AbortSignal comes from an AbortController");
      super();
      states.set(this, { aborted: false, reason: undefined });
    }

    get aborted() { return states.get(this).aborted; }
    get reason() { return states.get(this).reason; }

    throwIfAborted() {
      if (this.aborted) throw this.reason;
    }

    static abort(reason) {
      return abort(new AbortSignal(KEY), reason);
    }

    static timeout(milliseconds) {
      const signal = new AbortSignal(KEY);
      const end = () => abort(signal, new DOMException("the time is over", "TimeoutError"));
      setTimeout(end, milliseconds);
      return signal;
    }

    static any(signals) {
      const all = [...signals];
      const aborted = all.find((signal) => signal.aborted);
      const joined = new AbortSignal(KEY);
      if (aborted !== undefined) return abort(joined, aborted.reason);
      for (const signal of all) signal.addEventListener("abort", () => abort(joined, signal.reason));
      return joined;
    }
  }
  host.attributes(AbortSignal, ["abort"]);

  function abort(signal, reason) {
    const state = states.get(signal);
    if (state.aborted) return signal;
    state.aborted = true;
    state.reason = reason === undefined ? new DOMException("it was aborted", "AbortError") : reason;
    signal.dispatchEvent(new Event("abort"));
    return signal;
  }

  class AbortController {
    #signal = new AbortSignal(KEY);

    get signal() { return this.#signal; }

    abort(reason) {
      abort(this.#signal, reason);
    }
  }

  host.global("AbortSignal", AbortSignal);
  host.global("AbortController", AbortController);
}
