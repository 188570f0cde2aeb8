// What reporters and observers of a data object have in common (spec services
// §2.4): its metadata, its live data, its children and events.

const MANDATORY = ["syncher", "url", "created", "reporter", "runtime", "schema", "name"];

export default function (host) {
  const { hear, received } = host.data;

  /** A data object as one of its participants has it. */
  class DataObject {
    /**
     * @param {object} input the metadata with `syncher`, `data`, `version` …; it
     *   becomes the live `metadata`
     */
    constructor(input) {
      for (const name of MANDATORY) {
        if (!input[name]) throw new Error(`[DataObject] ${name} mandatory parameter is missing`);
      }
      this._syncher = input.syncher;
      this._owner = input.syncher._owner;
      this._bus = input.syncher._bus;
      this._url = input.url;
      this._created = input.created;
      this._reporter = input.reporter;
      this._runtime = input.runtime;
      this._schema = input.schema;
      this._name = input.name;
      this._status = input.status ?? "live";
      this._mutual = input.mutual;
      this._resumed = input.resume === true;
      this._version = Number.isSafeInteger(input.version) ? input.version : 0;
      this._childrensResources = Array.isArray(input.childrens) ? input.childrens : [];
      this._childrenObjects = input.childrenObjects ?? {};
      this._childrens = {};
      // Published children are counted from 2.
      this._childId = 1;
      this._listeners = [];
      this._warnings = new Set();
      this._tree = this._newTree(received(input.data) ?? {});
      for (const name of ["syncher", "data", "authorise", "childrenObjects", "version"]) delete input[name];
      this._metadata = input;
      this._listen(`${this._url}/children/`, (message) => this._heardOfChild(message));
    }

    [host.shown]() {
      return { url: this._url, status: this._status, version: this._version, data: this.data };
    }

    /** @returns {object} shared with the library: what is added to it is seen there */
    get metadata() {
      return this._metadata;
    }

    /** @returns {string} */
    get url() {
      return this._url;
    }

    /** @returns {string} */
    get schema() {
      return this._schema;
    }

    /** @returns {'live'|'deleted'|'unsubscribed'} */
    get status() {
      return this._status;
    }

    /** @returns {object} the live data */
    get data() {
      return this._tree.view;
    }

    /** @returns {Object<string, object>} the children by their id */
    get childrens() {
      return this._childrens;
    }

    /** @returns {string} */
    get name() {
      return this._name;
    }

    /**
     * Takes over the Sync Manager's copy, with its children.
     *
     * @returns {Promise<boolean>} false when it could not be read
     */
    async sync() {
      let value;
      try {
        value = await this._syncher._read(this._url);
      } catch {
        return false;
      }
      if (this._status !== "live" || this._isAbandoned || !value) return false;
      this._synchronise(value);
      this._childrenObjects = value.childrenObjects ?? {};
      this.resumeChildrens(this._childrenObjects);
      return true;
    }

    pause() {
      throw new Error("Not implemented");
    }

    resume() {
      throw new Error("Not implemented");
    }

    stop() {
      throw new Error("Not implemented");
    }

    // ---- events among the participants ----------------------------------

    /**
     * Sends something to the other participants.
     *
     * @param {unknown} value JSON
     */
    sendEvent(value) {
      this._bus.postMessage({ type: "event", from: this._owner, to: `${this._url}/children/`, body: { value } });
    }

    /** @param {(event: {from: string, value: unknown, identity?: object}) => void} callback */
    onEvent(callback) {
      this._onEvent = callback;
    }

    // ---- within the library ---------------------------------------------

    _listen(address, callback) {
      this._listeners.push(hear(this._bus, address, callback));
    }

    _modified(version, lastModified = new Date().toISOString()) {
      this._version = version;
      this._metadata.lastModified = lastModified;
    }

    /** Calls a component's function; what it throws is logged as its own. */
    _call(callback, event) {
      host.enter(this._owner);
      try {
        callback(event);
      } catch (error) {
        host.report(this._owner, error);
      }
    }

    _warn(text) {
      host.log(this._owner, "warn", `data object \`${this._url}\`: ${text}`, "");
    }

    _warnOnce(text) {
      if (this._warnings.has(text)) return;
      this._warnings.add(text);
      this._warn(text);
    }

    /** The object has ended here: what the component holds of it is a plain copy. */
    _gone(status, reason) {
      if (this._status !== "live") return;
      this._status = status;
      if (reason !== undefined) this._warn(reason);
      for (const listener of this._listeners.splice(0)) listener.remove();
      this._leave();
    }

    /** A value that messages carry: the metadata with what it does not hold. */
    _value() {
      return { ...this._metadata, version: this._version };
    }
  }

  Object.assign(DataObject.prototype, host.data.family);
  host.data.DataObject = DataObject;
}
