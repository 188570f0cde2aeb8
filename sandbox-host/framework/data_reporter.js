// The reporter of a data object (spec services §2.5): it writes the data, and
// decides who observes, reads and executes.

/**
 * @typedef {object} SubscriptionEvent
 * @property {'subscribe'|'unsubscribe'} type
 * @property {string} url the observer
 * @property {string} domain the observer's
 * @property {object} [identity]
 * @property {boolean} [mutual] with `subscribe`; the same as `nutual`
 * @property {boolean} [nutual] the name that published components read
 * @property {() => void} [accept] with `subscribe`
 * @property {(reason: string) => void} [reject] with `subscribe`
 */

/**
 * @typedef {object} ReadEvent
 * @property {'read'} type
 * @property {string} url the reader
 * @property {object} [identity]
 * @property {() => void} accept
 * @property {(reason: string) => void} reject
 */

/**
 * @typedef {object} ExecuteEvent
 * @property {'execute'} type
 * @property {string} url the caller
 * @property {string} method
 * @property {unknown[]} params
 * @property {object} [identity]
 * @property {() => void} accept
 * @property {(reason: string) => void} reject
 */

/**
 * Requests to subscribe that wait for `onSubscription`: those of the moment
 * between the creation and the component's own code.
 */
const WAITING_MAX = 64;

/** The Sync Manager gives up waiting for a decision after so long. */
const DECISION_MS = 15000;

/**
 * Bytes of data in the answer to a subscription. The Sync Manager has the data
 * itself; peers that have only this answer read what is larger.
 */
const ANSWER_BYTES_MAX = 64 * 1024;

export default function (host) {
  const { DataObject, DeltaSender, Tree } = host.data;

  class DataObjectReporter extends DataObject {
    constructor(input) {
      super(input);
      this._subscriptions = {};
      this._invitations = [];
      this._waiting = [];
      this._sender = new DeltaSender(this);
      this._listen(this._url, (message) => this._heard(message));
      // Its own changes, where it has observers in the same sandbox.
      this._listen(`${this._url}/changes`, ({ body }) => body?.behind === true && this._readChildren());
    }

    /** @returns {Promise<{invited: string, code: number, desc: string}>[]} one for each invited hyperty */
    get invitations() {
      return this._invitations;
    }

    /** @returns {Object<string, {url: string, status: string}>} observers by their address */
    get subscriptions() {
      return this._subscriptions;
    }

    /** @returns {Object<string, {value: object, identity?: object}>} the children as they are kept */
    get childrensJSON() {
      const children = Object.entries(this._childrens);
      return Object.fromEntries(children.map(([id, { shareable: value, identity }]) => [id, { value, identity }]));
    }

    /**
     * Invites hyperties to observe it; see `invitations` for what they answer.
     *
     * @param {string[]} observers
     * @param {boolean} [p2p]
     */
    inviteObservers(observers, p2p) {
      for (const invited of observers) {
        const invitation = this._invite(invited, p2p);
        // Whoever does not look at it has not overlooked anything.
        invitation.catch(() => {});
        this._invitations.push(invitation);
      }
    }

    /** Ends it for all. */
    delete() {
      if (this._status !== "live") return;
      for (const child of Object.values(this._childrens)) if (child.resourceType && child._isMine) child.delete();
      const body = { resource: this._url };
      const message = { type: "delete", from: this._owner, to: this._syncher._subURL, body };
      this._bus.postMessage(message, ({ body: { code, desc } = {} }) => {
        if (code < 300 || code === 404) this._gone("deleted");
        else if (code >= 300) this._warn(`it could not be deleted: ${code} ${desc}`);
      });
    }

    /** @param {(event: SubscriptionEvent) => void} callback */
    onSubscription(callback) {
      this._onSubscription = callback;
      for (const { message, until } of this._waiting.splice(0)) {
        if (host.now() < until) this._call(callback, this._subscribeEvent(message));
      }
    }

    /** @param {(event: {type: 'response', url: string, code: number}) => void} callback */
    onResponse(callback) {
      this._onResponse = callback;
    }

    /** @param {(event: ReadEvent) => void} callback */
    onRead(callback) {
      this._onRead = callback;
    }

    /** @param {(event: ExecuteEvent) => void} callback */
    onExecute(callback) {
      this._onExecute = callback;
    }

    // ---- within the library ---------------------------------------------

    _newTree(data) {
      return new Tree(data, (changes) => this._committed(changes), () => this._sender.begin());
    }

    // Its own method: `rpc_live` hears changes here.
    _committed(changes) {
      this._sender.send(changes);
    }

    // What it has itself is never older.
    _synchronise({ version }) {
      if (version > this._version) this._version = version;
    }

    /** What the Sync Manager has kept of it. @param {object} value */
    _resume(value) {
      this._synchronise(value);
      this._childrenObjects = value.childrenObjects ?? {};
      this.resumeChildrens(this._childrenObjects);
    }

    // It could not be told of what participants did to the children.
    async _readChildren() {
      if (this._isReading) return;
      this._isReading = true;
      try {
        const { childrenObjects } = await this._syncher._read(this._url);
        this._isReading = false;
        if (this._status === "live") this._catchUp(childrenObjects);
      } catch (reason) {
        this._isReading = false;
        this._warn(`its children could not be read: ${reason}`);
      }
    }

    _leave() {
      delete this._syncher._reporters[this._url];
    }

    _invite(invited, p2p) {
      const { _url: resource, _schema: schema, _metadata: value } = this;
      const body = { resume: false, resource, schema, value, authorise: [invited] };
      if (p2p) body.p2p = p2p;
      if (this._tree.raw.mutual === false) body.mutual = false;
      return new Promise((resolve, reject) => {
        const message = { type: "create", from: this._owner, to: this._syncher._subURL, body };
        this._bus.postMessage(message, (reply) => {
          const { code = 500, desc = "Unknown" } = reply.body ?? {};
          (code < 300 ? resolve : reject)({ invited, code, desc });
        });
      });
    }

    // What comes to the object itself.
    _heard(message) {
      const { type, from, id, body = {} } = message;
      if (from === this._owner) return;
      if (type === "read") this._heardRead(message);
      else if (type === "execute") this._heardExecute(message);
      else if (type === "create") this._heardOfNewChild(message);
      else if (type !== "response") return;
      else if (from === `${this._url}/subscription`) {
        const event = { type, url: body.source ?? from, code: body.code };
        if (this._onResponse) this._call(this._onResponse, event);
      } else if (body.code >= 300) this._sender.deltaRefused({ id, body });
    }

    /** A request to subscribe or to unsubscribe, which the Sync Manager hands on. */
    _heardForward(message) {
      const { type, from: url, identity } = message.body;
      if (type === "unsubscribe") {
        delete this._subscriptions[url];
        const domain = host.divideURL(url).domain;
        if (this._onSubscription) this._call(this._onSubscription, { type, url, domain, identity });
      } else if (type !== "subscribe") return;
      else if (this._onSubscription) this._call(this._onSubscription, this._subscribeEvent(message));
      else if (this._waiting.length < WAITING_MAX) this._waiting.push({ message, until: host.now() + DECISION_MS });
      else this._answer(message, { code: 403, desc: "nobody decides about subscriptions yet" });
    }

    _subscribeEvent(message) {
      const { type, from: url, identity, mutual } = message.body;
      const { accept, reject } = this._decision(message, 403, () => this._accepted(url, mutual));
      // Published components read the misspelt one.
      return { type, url, domain: host.divideURL(url).domain, identity, mutual, nutual: mutual, accept, reject };
    }

    _accepted(url, mutual) {
      this._subscriptions[url] = { url, status: "live" };
      const known = this._metadata.subscriptions;
      if (Array.isArray(known) && !known.includes(url)) known.push(url);
      const body = { code: 200, schema: this._schema };
      if (mutual === false) {
        body.mutual = false;
        this.data.mutual = false;
      }
      // Observers begin with what the Sync Manager has.
      this._sender.sendWhole();
      body.value = this._value();
      if (this._tree.bytes <= ANSWER_BYTES_MAX) body.value.data = this._tree.raw;
      return body;
    }

    // `accept` and `reject` of an event: the first one counts.
    _decision(message, code, accepted) {
      let isDecided = false;
      const decide = (body) => {
        if (isDecided) return;
        isDecided = true;
        this._answer(message, body());
      };
      return {
        accept: () => decide(accepted),
        reject: (reason) => decide(() => ({ code, desc: reason, description: reason })),
      };
    }

    _answer({ id, from, to }, body) {
      this._bus.postMessage({ id, type: "response", from: to, to: from, body });
    }

    _heardRead(message) {
      const { type, from: url, body } = message;
      const known = this._metadata.subscriptions;
      if (this._subscriptions[url] !== undefined || (Array.isArray(known) && known.includes(url))) {
        return this._answerRead(message);
      }
      if (!this._onRead) return this._answer(message, { code: 401, desc: "nobody decides about reads of it" });
      // The answer itself has parts, so it is no value of `_decision`.
      const { accept, reject } = this._decision(message, 401, () => this._readParts(message));
      this._call(this._onRead, { type, url, identity: body?.identity, accept, reject });
    }

    _answerRead(message) {
      this._answer(message, this._readParts(message));
    }

    /** The last part of the answer to a read; those before it are sent here. */
    _readParts(message) {
      const value = { ...this._value(), url: this._url, data: this._tree.raw };
      const parts = host.data.parted(value, this.childrensJSON);
      for (const part of parts.slice(0, -1)) this._answer(message, { code: 100, value: part });
      return { code: 200, value: parts.at(-1) };
    }

    _heardExecute(message) {
      const { type, from: url, body = {} } = message;
      const { method, params, identity } = body;
      if (!this._onExecute) return this._answer(message, { code: 401, desc: `nobody executes \`${method}\` here` });
      const { accept, reject } = this._decision(message, 401, () => ({ code: 200 }));
      this._call(this._onExecute, { type, url, method, params, identity, accept, reject });
    }

    _acknowledgeChild({ id, from, to, resource, value, identity }) {
      this._bus.postMessage({ id, type: "response", from: this._owner, to: from, body: { code: 100 } });
      // Shared with the reporter alone: the Sync Manager has not seen it.
      if (to !== this._url) return;
      const body = { resource: this._url, attribute: resource, value: { value, identity } };
      this._bus.postMessage({ type: "create", from: this._owner, to: this._syncher._subURL, body });
    }
  }

  host.data.DataObjectReporter = DataObjectReporter;
}
