// An observer of a data object (spec services §2.6): it sees the reporter's
// changes, in their order and without gaps. What it writes stays here.

export default function (host) {
  const { DataObject, Tree, Filters } = host.data;

  class DataObjectObserver extends DataObject {
    /**
     * @param {object} input as of every data object
     * @param {object} receiver has heard the object's updates from before the copy in `input` was made
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
     * @param {(event: {cType: 'add'|'update'|'remove', oType: 'object'|'array', field: string, data: unknown}) => void} callback
     *   the last one for a filter counts
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
     * Hears when its reporter is not there any more.
     *
     * @param {() => void} callback
     * @returns {Promise<void>} when the runtime will tell
     */
    async onDisconnected(callback) {
      const address = `${this._url}/registration`;
      this._onDisconnected = callback;
      if (this._isWatched) return;
      this._isWatched = true;
      this._listen(address, ({ body }) => {
        if (body?.value === "disconnected") this._call(this._onDisconnected);
      });
      try {
        await this._syncher._ask("subscribe", `${this._runtimeUrl}/subscriptions`, { resources: [address] });
      } catch (reason) {
        this._isWatched = false;
        throw reason;
      }
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

    // Nothing that is written here leaves, so nothing is counted.
    _newTree(data) {
      return new Tree(data, (changes) => changes.forEach((change) => this._changed(change)), Infinity);
    }

    _changed(change) {
      this._filters?.tell(change, this._tree, (callback, event) => this._call(callback, event));
    }

    _synchronise(value) {
      if (!(value.version < this._version)) this._receiver.adopt(value, true);
      this._receiver.drain();
    }

    _leave() {
      delete this._syncher._observers[this._url];
    }
  }

  host.data.DataObjectObserver = DataObjectObserver;
}
