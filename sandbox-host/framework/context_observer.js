// ContextObserver: finds what others report about themselves and observes it
// (spec services §2.11).

/** Registrations of one user that are waited for; older devices are left out. */
const DISCONNECTED_MAX = 5;

export default function (host) {
  host.need("event_emitter");

  class ContextObserver extends host.services.EventEmitter {
    /**
     * @param {string} hypertyURL
     * @param {object} bus
     * @param {object} configuration with `runtimeURL`
     * @param {string[]} contextResourceTypes such as `availability_context`
     */
    constructor(hypertyURL, bus, configuration, contextResourceTypes) {
      super();
      host.needed({ hypertyURL, bus, configuration });
      const { runtimeURL } = configuration;
      this._contextResourceTypes = contextResourceTypes;
      this._url = hypertyURL;
      this._discoverUsersPromises = {};
      this._observePromises = {};
      this._domain = host.divideURL(runtimeURL).domain;
      this._objectDescURL = `hyperty-catalogue://catalogue.${this._domain}/.well-known/dataschema/Context`;
      this._users2observe = [];
      this._observers = {};
      this._syncher = host.service("createSyncher")(hypertyURL, bus, configuration);
      this._discovery = host.service("createDiscovery")(hypertyURL, runtimeURL, bus);
      this._discoveries = {};
      globalThis.discovery = this._discovery;
    }

    /**
     * Takes up again what was observed before a restart.
     *
     * @param {object[]} [resumedContext] `values` of each until they are known again
     * @param {(observer: object) => void} [disconnectedCallBack] called when a reporter has gone
     * @returns {Promise<object|false>} the observers by address, or false when there are none
     */
    async start(resumedContext, disconnectedCallBack) {
      try {
        const observers = await this._syncher.resumeObservers({ store: true });
        const resumed = Object.values(observers);
        if (resumed.length === 0) return false;
        this._observers = observers;
        for (const observer of resumed) this.#resume(observer, resumedContext, disconnectedCallBack);
        this._onResumeObserver?.(observers);
        return observers;
      } catch (reason) {
        console.warn("no context was resumed:", reason);
        return false;
      }
    }

    /**
     * Finds again the users that were waited for before a restart.
     *
     * @returns {Promise<object[]>} one record, as soon as one of them is there; empty when nobody
     *   was waited for
     */
    async resumeDiscoveries() {
      const [type] = this._contextResourceTypes;
      const discoveries = await this._discovery.resumeDiscoveries();
      const wanted = discoveries.filter(({ data }) => data.resources?.[0] === type);
      const live = wanted.filter(({ data }) => data.status === "live");
      for (const discovery of live) this.#forget(discovery);
      if (live.length > 0) return [live[0].data];
      return wanted.length > 0 ? this.#firstLive(wanted) : [];
    }

    /** @param {(observers: object) => void} callback called by `start` with what it resumed */
    onResumeObserver(callback) {
      this._onResumeObserver = callback;
    }

    /**
     * Finds the hyperties with which a user reports contexts.
     *
     * @param {string} email
     * @param {string} domain whose registry
     * @returns {Promise<object[]>} live records; when all are disconnected, the first to become
     *   live; empty when there are none. The same promise while it lasts.
     */
    discoverUsers(email, domain) {
      const user = `${email}@${domain}`;
      return this.#once(this._discoverUsersPromises, user, () => this.#discover(email, domain));
    }

    /**
     * Observes the newest context of a hyperty.
     *
     * @param {object} hyperty a record that `discoverUsers` found
     * @param {boolean} [domainSubscription]
     * @returns {Promise<object>} the observer; rejected with a text when there is no context
     */
    observe(hyperty, domainSubscription = true) {
      const { hypertyID } = hyperty;
      return this.#once(this._observePromises, hypertyID, () => this.#observe(hypertyID, domainSubscription));
    }

    /** @param {string} Context address of the context to observe no more */
    unobserve(Context) {
      const gone = this._users2observe.filter(({ url }) => url === Context);
      this._users2observe = this._users2observe.filter(({ url }) => url !== Context);
      for (const observer of gone) {
        delete this._observePromises[observer._reporter];
        observer.unsubscribe();
      }
    }

    #resume(observer, resumedContext, disconnectedCallBack) {
      this._users2observe.push(observer);
      if (resumedContext) observer.data.values = structuredClone(resumedContext);
      this.#read(observer, disconnectedCallBack ?? unavailable).catch((reason) => {
        console.warn(`\`${observer.url}\` may be out of date:`, reason);
      });
    }

    // Watched first: whose reporter has gone meanwhile is not read.
    async #read(observer, disconnected) {
      await this.#watch(observer, disconnected);
      await observer.sync();
    }

    async #watch(observer, disconnected) {
      try {
        await observer.onDisconnected(() => disconnected(observer));
      } catch (reason) {
        console.warn(`\`${observer.url}\` is not watched:`, reason);
      }
    }

    async #discover(email, domain) {
      const types = this._contextResourceTypes;
      const found = await this._discovery.discoverHypertiesDO(email, ["context"], types, domain);
      for (const hyperty of found) this._discoveries[hyperty.data.hypertyID] = hyperty;
      const live = found.filter(({ data }) => data.status === "live");
      if (live.length > 0) return live.map(({ data }) => data);
      if (found.length > 0) return this.#firstLive(found);
      // So that who registers later is found by another call.
      delete this._discoverUsersPromises[`${email}@${domain}`];
      return [];
    }

    #firstLive(discoveries) {
      const awaited = discoveries.slice(0, DISCONNECTED_MAX);
      return new Promise((resolve, reject) => {
        const subscribed = awaited.map((discovery) =>
          discovery.onLive(this._url, () => {
            discovery.data.status = "live";
            for (const other of awaited) this.#forget(other);
            resolve([discovery.data]);
          }));
        Promise.any(subscribed).catch(() => reject("cannot wait for the user: the registry does not tell"));
      });
    }

    #forget(discovery) {
      discovery.unsubscribeLive(this._url).catch((reason) => console.warn(reason));
    }

    async #observe(hypertyID, domainSubscription) {
      const known = this._users2observe.find((observer) => observer._reporter === hypertyID);
      if (known !== undefined) return known;
      const types = this._contextResourceTypes;
      const found = await this._discovery.discoverDataObjectsPerReporter(hypertyID, ["context"], types, this._domain);
      const dated = found.filter(({ url, lastModified }) => url && Date.parse(lastModified) > 0);
      dated.sort((one, other) => Date.parse(other.lastModified) - Date.parse(one.lastModified));
      if (dated.length === 0) throw `[ContextObserver.observe] \`${hypertyID}\` reports no context of ours`;
      return this.#subscribe(dated[0].url, domainSubscription);
    }

    async #subscribe(url, domainSubscription) {
      const known = this._users2observe.find((observer) => observer.url === url);
      if (known !== undefined) return known;
      const observer = await this._syncher.subscribe({
        schema: this._objectDescURL,
        resource: url,
        store: true,
        domain_subscription: domainSubscription,
      });
      this._users2observe.push(observer);
      this.#watch(observer, unavailable);
      return observer;
    }

    // The same promise for the same question, until it fails.
    #once(promises, key, start) {
      if (!Object.hasOwn(promises, key)) {
        promises[key] = start();
        promises[key].catch(() => delete promises[key]);
      }
      return promises[key];
    }
  }

  // Whoever reports a context cannot say that it has gone.
  function unavailable({ data }) {
    if (data.values?.[0] !== undefined) data.values[0].value = "unavailable";
  }

  /** @returns {ContextObserver} */
  host.services.createContextObserver = (hypertyURL, bus, configuration, contextResourceTypes) =>
    new ContextObserver(hypertyURL, bus, configuration, contextResourceTypes);
}
