// A child of a data object (spec services §2.7): its maker writes it, the other
// participants see it.

const MANDATORY = ["parent", "url", "created", "reporter", "runtime", "schema", "parentObject"];

/** Members that are not sent. */
const OWN = ["parentObject", "identity", "data", "content", "status"];

/** How long a reporter may take to acknowledge a child (spec services §1.8). */
const SHARING_MS = 3000;

/** Updates of one child in one turn; more are sent as its members at the end of it. */
const DELTAS_PER_TURN_MAX = 64;

/** When the outbox is full: until the host has written it. */
const FULL_DELAY_MS = 20;

export default function (host) {
  const { Tree, deltaOf, apply, reconcile, received, copied, Filters } = host.data;

  class DataObjectChild {
    constructor(input) {
      for (const name of MANDATORY) {
        if (!input[name]) throw new Error(`[DataObjectChild] ${name} mandatory parameter is missing`);
      }
      this._parentObject = input.parentObject;
      this._owner = input.parentObject._owner;
      this._bus = input.parentObject._bus;
      this._parent = input.parent;
      this._identity = input.identity;
      this._version = Number.isSafeInteger(input.version) ? input.version : 0;
      this._isMine = input.reporter === this._owner;
      this._filters = new Filters();
      this._sharingStatus = false;
      this._isGone = false;
      this._isStale = false;
      this._isOpen = false;
      this._isWatched = false;
      this._sentInTurn = 0;
      // Members that have changed and could not be sent one by one.
      this._unsent = new Set();
      this._tree = this._newTree(input.data);
      this._metadata = Object.fromEntries(
        Object.entries(input).filter(([name, value]) => !OWN.includes(name) && value !== undefined),
      );
    }

    [host.shown]() {
      return { childId: this.childId, parent: this._parent, version: this._version, data: this.data };
    }

    /** @returns {string} */
    get childId() {
      return this._metadata.url;
    }

    /** @returns {object} live; its maker's changes reach all participants */
    get data() {
      return this._tree.view;
    }

    /** @returns {object} */
    get metadata() {
      return this._metadata;
    }

    /** @returns {object} what is sent of it */
    get shareable() {
      return { ...this._metadata, version: this._version, data: this._tree.raw };
    }

    /** @returns {object | undefined} */
    get identity() {
      return this._identity;
    }

    set identity(identity) {
      this._identity = identity;
    }

    /** @returns {false | Promise<{code: number, desc?: string}>} false until it is shared */
    get sharingStatus() {
      return this._sharingStatus;
    }

    /**
     * Shows it to the participants.
     *
     * @param {boolean} [toReporter] only to the reporter, who keeps it
     */
    share(toReporter = false) {
      const body = { resource: this.childId, value: this.shareable };
      if (this._identity) body.identity = this._identity;
      if (this._metadata.mutual !== undefined) body.mutual = this._metadata.mutual;
      const to = toReporter ? this._parent : `${this._parent}/children/`;
      const message = { type: "create", from: this._owner, to, body };
      this._sharingStatus = this._shared(message);
      // Whoever does not look at it has not overlooked anything.
      this._sharingStatus.catch(() => {});
    }

    _shared(message) {
      if (this._parentObject._reporter === this._owner) {
        this._msgId = this._bus.postMessage(message);
        return Promise.resolve({ code: 200 });
      }
      return new Promise((resolve, reject) => {
        // One answer is all: after a 100 the bus would wait for a final one.
        const end = () => this._bus.removeResponseListener(this._owner, this._msgId);
        this._msgId = this._bus.postMessage(message, (reply) => {
          const { code, desc, description } = reply.body ?? {};
          end();
          if (Number(code) < 300) resolve({ code, desc });
          else reject({ code, desc: desc ?? description });
          this._answered(reply);
        });
        host.after(SHARING_MS, () => {
          end();
          reject({ code: 408, desc: "timout" });
        });
      });
    }

    _answered({ body = {}, from }) {
      if (!this._onResponse || this._isGone) return;
      this._parentObject._call(this._onResponse, { type: "response", url: body.source ?? from, code: body.code });
    }

    /** Has the Sync Manager keep it. */
    store() {
      const value = { value: this.shareable, identity: this._identity };
      this._post("create", this._parentObject._syncher._subURL, {
        resource: this._parent,
        attribute: this.childId,
        value,
      });
    }

    /** Ends it for all participants; only its maker may. */
    delete() {
      if (this._isMine && !this._isGone) this._post("delete", `${this._parent}/children/`, { resource: this.childId });
      delete this._parentObject._childrens[this.childId];
      this._end();
    }

    /** @param {(event: import("./data_filters.js").ChangeEvent) => void} callback its own changes too */
    onChange(callback) {
      this._filters.set("*", callback);
    }

    /** @param {(event: {type: 'response', url: string, code: number}) => void} callback */
    onResponse(callback) {
      this._onResponse = callback;
    }

    // ---- within the library ---------------------------------------------

    _newTree(data) {
      const root = this._isMine ? (copied(data ?? {}, () => "data")?.value ?? {}) : (received(data) ?? {});
      // Some published children are a text.
      const plain = typeof root === "object" ? root : { value: root };
      const bytes = this._isMine ? undefined : Infinity;
      return new Tree(plain, (changes) => this._committed(changes), () => this._begin(), bytes);
    }

    _post(type, to, body) {
      this._bus.postMessage({ type, from: this._owner, to, body });
    }

    _begin() {
      if (!this._isWatched) Promise.resolve().then(() => this._turnIsOver());
      this._isWatched = true;
      // The engine ended the one before it somewhere: all is sent again.
      if (this._isOpen) this._addUnsent(Object.keys(this._tree.raw));
      this._isOpen = true;
    }

    _addUnsent(keys) {
      // The elements of a list move: they cannot be told apart later.
      if (this._isMine && !Array.isArray(this._tree.raw)) for (const key of keys) this._unsent.add(key);
    }

    _committed(changes) {
      this._isOpen = false;
      for (const change of changes) {
        if (this._isMine && !this._isGone) this._send(change);
        this._changed(change);
      }
    }

    _changed(change) {
      this._filters.tell(change, this._tree, (callback, event) => this._parentObject._call(callback, event));
    }

    _send(change) {
      this._sentInTurn += 1;
      if (this._sentInTurn > DELTAS_PER_TURN_MAX || this._unsent.size > 0) this._addUnsent([change.path[0]]);
      if (this._unsent.size === 0) this._update(change);
    }

    _update(change) {
      const lastModified = new Date().toISOString();
      const body = { resource: this.childId, version: this._version + 1, source: this._owner, lastModified };
      try {
        this._post("update", `${this._parent}/children/`, { ...body, ...deltaOf(change) });
        this._version += 1;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this._addUnsent([change.path[0]]);
        host.after(FULL_DELAY_MS, () => this._turnIsOver());
      }
    }

    _turnIsOver() {
      this._sentInTurn = 0;
      this._isWatched = false;
      const { raw } = this._tree;
      if (this._isOpen) this._addUnsent(Object.keys(raw));
      this._isOpen = false;
      const keys = [...this._unsent];
      this._unsent.clear();
      for (const key of keys) {
        // The outbox was full for one before it.
        if (this._unsent.size > 0) this._unsent.add(key);
        else this._update({ path: [key], oType: "object", ...memberOf(raw, key) });
      }
    }

    /** An update by its maker. Each child has numbers of its own. */
    _take(delta) {
      const { version } = delta;
      if (!Number.isSafeInteger(version) || version <= this._version) return;
      // One in between was lost; what is read then is better than this.
      this._isStale ||= version > this._version + 1;
      this._version = version;
      const changes = apply(this._tree, delta);
      if (changes !== undefined) for (const change of changes) this._changed(change);
      else this._parentObject._warnOnce(`an update of child \`${this.childId}\` does not fit and is left out`);
    }

    _adopt({ data, version }) {
      const isNews = version > this._version || (this._isStale && version === this._version);
      // What its maker has is never older.
      if (!isNews || this._isMine) return;
      this._isStale = false;
      this._version = version;
      const { raw } = this._tree;
      const fresh = received(data) ?? {};
      if (typeof fresh === "object" && Array.isArray(fresh) === Array.isArray(raw)) reconcile(raw, fresh);
    }

    _end() {
      this._isGone = true;
    }
  }

  host.data.DataObjectChild = DataObjectChild;
}

function memberOf(raw, key) {
  return Object.hasOwn(raw, key) ? { cType: "update", value: raw[key] } : { cType: "remove" };
}
