// An observer of a data object (spec services §2.6): it sees the reporter's
// changes, in their order and without gaps. What it writes stays here.

export default function (host) {
  const { DataObject, Tree, Filters } = host.data;

  class DataObjectObserver extends DataObject {
    /**
     * @param {object} input as of every data object
     * @param {object} receiver has heard updates from before the copy in `input` was made
     */
    constructor(input, receiver) {
      super(input);
      this._filters = new Filters();
      this._receiver = receiver;
      this._listeners.push({ remove: () => receiver.stop() });
      receiver.feed(this);
    }

    /**
     * @param {string} filter `*` any change, `x.*` those below `x`, else one field
     * @param {(event: import("./data_filters.js").ChangeEvent) => void} callback the last one for a filter counts
     */
    onChange(filter, callback) {
      this._filters.set(filter, callback);
    }

    /** Observes it no more. */
    unsubscribe() {
      if (this._status !== "live") return;
      const body = { resource: this._url };
      this._bus.postMessage({ type: "unsubscribe", from: this._owner, to: this._syncher._subURL, body }, () => {});
      this._gone("unsubscribed");
    }

    /** Observes it no more, and deletes the files that are its own. */
    delete() {
      for (const child of Object.values(this._childrens)) if (child.resourceType && child._isMine) child.delete();
      this.unsubscribe();
    }

    /**
     * Takes over the Sync Manager's copy, with its children; not while the reporter is known to
     * have gone: what a component has written in the meantime, such as `unavailable`, stays.
     *
     * @returns {Promise<boolean>} false when it could not be read, or nobody reports it
     */
    async sync() {
      await this._checked;
      return this._isAbandoned ? false : super.sync();
    }

    /**
     * Hears when its reporter is not there any more, also when it has gone already. When it is
     * back, the object is read again.
     *
     * @param {() => void} callback
     * @returns {Promise<void>} when the runtime will tell
     */
    async onDisconnected(callback) {
      this._onDisconnected = callback;
      if (this._registration !== undefined) return;
      const { _url: url, _owner: owner, _bus: bus } = this;
      const registration = host.service("createRegistrationStatus")(url, this._runtimeUrl, owner, bus);
      registration._isPrompt = true;
      this._registration = registration;
      try {
        const gone = registration.onDisconnected(owner, () => this._abandoned());
        await Promise.all([gone, registration.onLive(owner, () => this._reportedAgain())]);
      } catch (reason) {
        this._registration = undefined;
        throw reason;
      }
      this._checked = this._check().catch((reason) => this._warn(`is its reporter there? ${reason}`));
    }

    /**
     * Asks the reporter to do something.
     *
     * @param {string} method
     * @param {unknown[]} params
     * @returns {Promise<void>} rejected with the reporter's reason
     */
    async execute(method, params) {
      if (this._status !== "live") throw `data object \`${this._url}\` is ${this._status}`;
      await this._syncher._ask("execute", this._url, { method, params });
    }

    // ---- within the library ---------------------------------------------

    get _runtimeUrl() {
      return this._syncher._runtimeUrl;
    }

    // It may have gone before anybody was to be told.
    async _check() {
      const discovery = host.service("createDiscovery")(this._owner, this._runtimeUrl, this._bus);
      const { status } = await discovery.discoverDataObjectPerURL(this._url);
      if (status === "disconnected" && !this._isAbandoned) this._abandoned();
    }

    _abandoned() {
      this._isAbandoned = true;
      this._call(this._onDisconnected);
    }

    _reportedAgain() {
      if (!this._isAbandoned) return;
      this._isAbandoned = false;
      this.sync();
    }

    // Nothing that is written here leaves, so nothing is counted.
    _newTree(data) {
      return new Tree(data, (changes) => changes.forEach((change) => this._changed(change)), () => {}, Infinity);
    }

    _changed(change) {
      this._filters?.tell(change, this._tree, (callback, event) => this._call(callback, event));
    }

    _synchronise(value) {
      if (!(value.version < this._version)) this._receiver.adopt(value, true);
      this._receiver.drain();
    }

    _leave() {
      const { _registration: registration, _owner: owner } = this;
      registration?.unsubscribeDisconnected(owner).catch(() => {});
      registration?.unsubscribeLive(owner).catch(() => {});
      delete this._syncher._observers[this._url];
    }
  }

  host.data.DataObjectObserver = DataObjectObserver;
}
