// ContextReporter: what a hyperty tells about its user or device, such as presence
// (spec services §2.11).

/** Seconds a context stays registered without a sign of life. */
const EXPIRES_S = 30;

export default function (host) {
  host.need("event_emitter");

  class ContextReporter extends host.services.EventEmitter {
    /**
     * @param {string} hypertyURL
     * @param {object} bus
     * @param {object} configuration with `runtimeURL`
     */
    constructor(hypertyURL, bus, configuration) {
      super();
      host.needed({ hypertyURL, bus, configuration });
      this.syncher = host.service("createSyncher")(hypertyURL, bus, configuration);
      this.domain = host.divideURL(configuration.runtimeURL).domain;
      this.contexts = {};
      this.contextDescURL = `hyperty-catalogue://catalogue.${this.domain}/.well-known/dataschema/Context`;
      this.syncher.onNotification((event) => this.#notified(event));
      this.syncher.onClose((event) => this.#closed(event));
    }

    /**
     * Takes up again what was reported before a restart, and lets everybody observe it.
     *
     * @returns {Promise<object|false>} the reporters by address, or false when there are none
     */
    async start() {
      try {
        const reporters = await this.syncher.resumeReporters({ store: true });
        const urls = Object.keys(reporters);
        if (urls.length === 0) return false;
        // A copy: the syncher's own map must not get our ids as keys.
        Object.assign(this.contexts, reporters);
        for (const url of urls) this._onSubscription(reporters[url]);
        return this.contexts;
      } catch (reason) {
        console.warn("no context was resumed:", reason);
        return false;
      }
    }

    /** Acknowledges a notification. */
    processNotification(event) {
      event.ack();
    }

    /**
     * Creates a context that everybody may observe.
     *
     * @param {string} id one's own name for it, for `setContext`
     * @param {object} init its data: `{values: [{name, value, unit}], …}`
     * @param {string[]} resources its resource types, such as `availability_context`
     * @param {string} [name]
     * @param {string|null} [reporter] who reports it, when not this hyperty itself
     * @param {string|boolean|null} [reuseURL] the address of an older one, or true to look for it
     * @returns {Promise<object>} the data object reporter
     */
    async create(id, init, resources, name = "myContext", reporter = null, reuseURL = null) {
      const input = { resources, expires: EXPIRES_S };
      if (reporter) input.reporter = reporter;
      if (reuseURL) input.reuseURL = reuseURL;
      const context = await this.syncher.create(this.contextDescURL, [], init, true, false, name, null, input);
      this.contexts[id] = context;
      this._onSubscription(context);
      return context;
    }

    /**
     * Replaces the values of a context and triggers `<id>-context-update`.
     *
     * @param {string} id of `create`, or the context's address or name
     * @param {object[]} newContext
     * @throws {TypeError} when there is no such context
     */
    setContext(id, newContext) {
      // What was resumed is known by its address only.
      const named = () => Object.values(this.contexts).find((context) => context._name === id);
      const context = Object.hasOwn(this.contexts, id) ? this.contexts[id] : named();
      if (context === undefined) throw new TypeError(`no context \`${id}\` was created or resumed`);
      context.data.values = newContext;
      this.trigger(`${id}-context-update`, newContext);
    }

    _onSubscription(context) {
      context.onSubscription((event) => {
        if (event.type === "subscribe") event.accept();
      });
    }

    // Who extends this class may define `onNotification` and `setStatus`.
    #notified(event) {
      if (typeof this.onNotification === "function") this.onNotification(event);
      else this.processNotification(event);
    }

    #closed(event) {
      try {
        if (typeof this.setStatus === "function") this.setStatus(event.id, "unavailable");
      } finally {
        event.ack();
      }
    }
  }

  /** @returns {ContextReporter} */
  host.services.createContextReporter = (hypertyURL, bus, configuration) =>
    new ContextReporter(hypertyURL, bus, configuration);
}
