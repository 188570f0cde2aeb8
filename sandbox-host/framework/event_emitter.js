// The base of the context services: one callback per kind of event.

export default function (host) {
  /** Keeps a callback as the member that is named like its event (spec services §2.11). */
  host.services.EventEmitter = class EventEmitter {
    /**
     * @param {string} eventType
     * @param {(params: any) => void} cb replaces the one before
     */
    addEventListener(eventType, cb) {
      this[eventType] = cb;
    }

    /**
     * @param {string} eventType
     * @param {any} params
     */
    trigger(eventType, params) {
      if (typeof this[eventType] === "function") this[eventType](params);
    }
  };
}
