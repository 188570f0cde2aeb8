// RegistrationStatus: is the component behind an address there, or has it gone?
// (spec services §2.10, messaging §8.4)

export default function (host) {
  host.need("ask");

  // Per bus, what is subscribed: the core knows one subscription per component and
  // address, however many objects wait for the same news here. bus → Map(key → entry)
  const books = new WeakMap();

  function bookOf(bus) {
    if (!books.has(bus)) books.set(bus, new Map());
    return books.get(bus);
  }

  class RegistrationStatus {
    /** Waits for a subscription that others may share. */
    #entry;
    /** Statuses whose callbacks wait for the delay to pass. */
    #due = new Set();

    /**
     * @param {string} url of a hyperty or data object
     * @param {string} runtimeURL
     * @param {string} owner the component that wants to know
     * @param {object} msgBus
     */
    constructor(url, runtimeURL, owner, msgBus) {
      this._registryObjectURL = url;
      this._runtimeURL = runtimeURL;
      this._domain = host.divideURL(runtimeURL).domain;
      this._discoveredObjectURL = owner;
      this._messageBus = msgBus;
      this._subscribers = { live: new Map(), disconnected: new Map() };
    }

    get _subscriptionSet() {
      return this.#entry !== undefined;
    }

    /**
     * Calls back each time the component registers itself again.
     *
     * @param {string} subscriber a key of one's own choice: one callback for each
     * @param {() => void} callback
     * @returns {Promise<void>} done when the core has agreed to tell; rejected with a text
     */
    onLive(subscriber, callback) {
      return this.#on("live", subscriber, callback);
    }

    /** As `onLive`, for the end of the component's registration. */
    onDisconnected(subscriber, callback) {
      return this.#on("disconnected", subscriber, callback);
    }

    /**
     * @param {string} subscriber
     * @returns {Promise<void>} when it was the last one, done once the core has forgotten
     */
    async unsubscribeLive(subscriber) {
      this._subscribers.live.delete(subscriber);
      await this.#unsubscribeUnused();
    }

    /** As `unsubscribeLive`, but rejected for a key that never asked. */
    async unsubscribeDisconnected(subscriber) {
      if (!this._subscribers.disconnected.delete(subscriber)) {
        throw `${subscriber} doesn't subscribe onDisconnected for ${this._registryObjectURL}`;
      }
      await this.#unsubscribeUnused();
    }

    _processNotification(message) {
      const status = message.body?.value;
      if (!Object.hasOwn(this._subscribers, status) || this.#due.has(status)) return;
      // Published components were given 5 s, so that whoever registers is ready to
      // be asked. Here registering is the last step of a start.
      // Observers of data objects were told at once.
      const delay = Number(host.configurationOf(this._discoveredObjectURL).registrationDelay);
      if (this._isPrompt || !(delay > 0)) {
        this.#call(status);
        return;
      }
      this.#due.add(status);
      host.wait(delay, () => {
        this.#due.delete(status);
        this.#call(status);
      });
    }

    #call(status) {
      const waiting = this._subscribers[status];
      for (const [subscriber, callback] of [...waiting]) {
        if (waiting.get(subscriber) !== callback) continue;
        try {
          callback();
        } catch (error) {
          host.report(host.owner, error);
        }
      }
    }

    async #on(status, subscriber, callback) {
      if (typeof callback !== "function") throw new TypeError("a subscriber needs a function to call");
      const waiting = this._subscribers[status];
      waiting.set(subscriber, callback);
      try {
        await this.#subscribe();
      } catch (reason) {
        if (waiting.get(subscriber) === callback) waiting.delete(subscriber);
        throw reason;
      }
    }

    get #key() {
      return `${this._discoveredObjectURL} ${this._registryObjectURL}`;
    }

    #subscribe() {
      const book = bookOf(this._messageBus);
      let entry = book.get(this.#key);
      if (entry === undefined) {
        entry = { holders: new Set(), listener: undefined };
        book.set(this.#key, entry);
        entry.ready = this.#open(entry).catch((reason) => {
          if (book.get(this.#key) === entry) book.delete(this.#key);
          for (const holder of entry.holders) holder.#entry = undefined;
          throw reason;
        });
      }
      entry.holders.add(this);
      this.#entry = entry;
      return entry.ready;
    }

    async #open(entry) {
      const resource = `${this._registryObjectURL}/registration`;
      const reply = await this.#request("subscribe", { resources: [resource] });
      if (reply.code !== 200) throw `Error subscribing ${this._registryObjectURL}: ${host.reason(reply)}`;
      entry.listener = this._messageBus.addListener(resource, (message) => {
        for (const holder of [...entry.holders]) holder._processNotification(message);
      });
    }

    async #unsubscribeUnused() {
      const { live, disconnected } = this._subscribers;
      if (live.size > 0 || disconnected.size > 0) return;
      const entry = this.#entry;
      if (entry !== undefined) await entry.ready.catch(() => {});
      // Somebody may have asked again while the core had not yet agreed.
      if (live.size > 0 || disconnected.size > 0) return;
      const book = bookOf(this._messageBus);
      if (entry !== undefined) {
        this.#entry = undefined;
        entry.holders.delete(this);
      }
      const others = book.get(this.#key);
      if (others !== undefined && others.holders.size > 0) return;
      book.delete(this.#key);
      others?.listener?.remove();
      await this.#close();
    }

    // Also for what was subscribed before a restart, of which nothing is known here.
    async #close() {
      const resource = `${this._registryObjectURL}/registration`;
      const reply = await this.#request("unsubscribe", { resource });
      if (reply.code !== 200) throw `Error unsubscribing ${this._registryObjectURL}: ${host.reason(reply)}`;
    }

    #request(type, body) {
      const from = this._discoveredObjectURL;
      return host.ask(this._messageBus, { type, from, to: `${this._runtimeURL}/subscriptions`, body });
    }
  }

  host.services.RegistrationStatus = RegistrationStatus;
  /** @returns {RegistrationStatus} */
  host.services.createRegistrationStatus = (url, runtimeURL, ownerURL, bus) =>
    new RegistrationStatus(url, runtimeURL, ownerURL, bus);
}
