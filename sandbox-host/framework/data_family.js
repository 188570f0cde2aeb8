// Children of a data object: each written by one participant, seen by all (spec
// services §1.8). The functions here are methods of every data object.

/**
 * @typedef {object} AddChildEvent
 * @property {'create'} type
 * @property {string} from who made it
 * @property {string} url where it was announced
 * @property {object} value its data
 * @property {string} childId
 * @property {object} [identity]
 * @property {DataObjectChild} child
 * @property {HypertyResource} [resource] the child, when it is a resource
 */

/**
 * @typedef {object} DeleteChildEvent
 * @property {'delete'} type
 * @property {string} from who made it
 * @property {string} url the data object
 * @property {string} childId
 * @property {DataObjectChild} child
 */

/** Children of one object: any participant makes them, all have them in memory. */
const CHILDREN_MAX = 16384;

export default function (host) {
  const isCollection = (object, name) =>
    typeof name === "string" && (name === "resources" || object._childrensResources.includes(name));

  // Few components share files.
  host.data.newResource = (type, input) => {
    if (type !== "file") throw new TypeError(`no resource has the type \`${type}\`: there is only \`file\``);
    if (host.data.FileHypertyResource === undefined) host.load("hyperty_resource");
    return new host.data.FileHypertyResource(input);
  };

  host.data.family = {
    /**
     * Makes a child that all participants see.
     *
     * Published components of the first generation name a collection before the
     * data; there is only one.
     *
     * @param {object} initialData
     * @param {object} [identity] of whom it is, where that is not the component's user
     * @param {object} [input] more members of its metadata
     * @returns {Promise<DataObjectChild>} at once; see its `sharingStatus`
     */
    async addChild(...args) {
      const [initialData, identity, input] = isCollection(this, args[0]) ? args.slice(1) : args;
      const child = new host.data.DataObjectChild({
        ...input,
        ...this._childMembers(),
        data: initialData,
        identity,
        parentObject: this,
      });
      this._keepChild(child);
      child.share();
      return child;
    },

    /**
     * Saves a resource, such as a file, and shares where it is.
     *
     * @param {'file'} type
     * @param {File} resource
     * @param {object} [identity]
     * @param {object} [input]
     * @returns {Promise<HypertyResource>}
     */
    async addHypertyResource(...args) {
      const isFirstGeneration = isCollection(this, args[0]) && typeof args[1] === "string";
      const [type = "file", resource, identity, input] = isFirstGeneration ? args.slice(1) : args;
      const made = host.data.newResource(type, {
        ...input,
        ...this._childMembers(),
        identity,
        parentObject: this,
      });
      await made.init(resource);
      await made.save();
      this._keepChild(made);
      made.share();
      return made;
    },

    /** @param {(event: AddChildEvent) => void} callback */
    onAddChild(callback) {
      this._onAddChild = callback;
    },

    /** @param {(event: DeleteChildEvent) => void} callback */
    onDeleteChild(callback) {
      this._onDeleteChild = callback;
    },

    /**
     * Makes the children that are kept for an object.
     *
     * @param {Object<string, {value: object, identity?: object}>} kept
     */
    resumeChildrens(kept) {
      for (const [childId, child] of Object.entries(kept ?? {})) {
        // A heart beat is kept as a number.
        const { value, identity, version } = child ?? {};
        const found = typeof value === "string" ? parsed(value) : value;
        if (childId === "heartbeat" || found === null || typeof found !== "object") continue;
        // Its maker's numbers go on after a restart, also where they were not kept.
        const next = version ?? (found.reporter === this._owner ? Date.now() : found.version);
        const metadata = { ...found, version: next };
        if (Object.hasOwn(this._childrens, childId)) this._childrens[childId]._adopt(metadata);
        else this._received(childId, metadata, identity, metadata.reporter);
      }
    },

    /**
     * Takes in children that came while this participant could not be told. Those
     * that were there when it came are the component's to ask for, with `sync`.
     */
    _catchUp(kept) {
      const isMissed = ([id]) => Object.hasOwn(this._childrens, id) || !Object.hasOwn(this._childrenObjects, id);
      this.resumeChildrens(Object.fromEntries(Object.entries(kept ?? {}).filter(isMissed)));
    },

    /** What the Sync Manager did not do to the children. */
    _childRefused({ code, desc, description }) {
      this._warn(`a change of its children was refused: ${code} ${desc ?? description ?? "no reason given"}`);
    },

    _childMembers() {
      const { _owner: owner, _url: parent, _syncher: syncher, _tree: tree } = this;
      const guid = owner.split("/")[3] ?? owner;
      return {
        url: `${Date.now()}-${guid}#${++this._childId}`,
        parent,
        reporter: owner,
        created: new Date().toISOString(),
        runtime: syncher._runtimeUrl,
        schema: this._schema,
        p2pHandler: syncher._p2pHandler,
        p2pRequester: syncher._p2pRequester,
        mutual: tree.raw.mutual,
      };
    },

    _keepChild(child) {
      if (Object.keys(this._childrens).length >= CHILDREN_MAX) {
        throw new RangeError(`data object \`${this._url}\` has ${CHILDREN_MAX} children, which is the most`);
      }
      this._childrens[child.childId] = child;
    },

    // ---- what other participants do --------------------------------------

    _heardOfChild(message) {
      const { type, from, body = {} } = message;
      if (from === this._owner || type === "response") return;
      if (type === "create") return this._heardOfNewChild(message);
      if (type === "event") {
        if (this._onEvent) this._call(this._onEvent, { from, value: body.value, identity: body.identity });
        return;
      }
      const child = Object.hasOwn(this._childrens, body.resource) ? this._childrens[body.resource] : undefined;
      if (child === undefined) return;
      // Published peers send updates in the object's name.
      const writer = from === this._url ? (body.source ?? this._reporter) : from;
      if (writer !== child.metadata.reporter) return;
      if (type === "delete") this._heardOfDeletedChild(child, from);
      else if (type === "update") child._take(body);
    },

    _heardOfNewChild(message) {
      const { id, from, to, body = {} } = message;
      const { resource, value, identity } = body;
      // Beats show that a participant is there; nothing is made of them.
      if (resource === "heartbeat") return;
      if (typeof resource !== "string" || value === null || typeof value !== "object") return;
      if (!Object.hasOwn(this._childrens, resource)) {
        // Who made it is who sent it, whatever it says.
        const reporter = from === this._url ? value.reporter : from;
        this._received(resource, { ...value, reporter }, identity, from, to);
      }
      this._acknowledgeChild?.({ id, from, to, resource, value, identity });
    },

    _received(childId, metadata, identity, from, to = `${this._url}/children/`) {
      const { resourceType } = metadata;
      const input = {
        created: new Date().toISOString(),
        runtime: this._runtime,
        schema: this._schema,
        ...metadata,
        url: childId,
        parent: this._url,
        identity,
        parentObject: this,
      };
      let child;
      try {
        child = resourceType ? host.data.newResource(resourceType, input) : new host.data.DataObjectChild(input);
        this._keepChild(child);
      } catch (error) {
        return this._warnOnce(`a child of \`${from}\` is left out: ${error.message}`);
      }
      if (!this._onAddChild) return;
      const event = { type: "create", from, url: to, value: child.data, childId, identity, child };
      if (resourceType) event.resource = child;
      this._call(this._onAddChild, event);
    },

    _heardOfDeletedChild(child, from) {
      delete this._childrens[child.childId];
      child._end();
      const event = { type: "delete", from, url: this._url, childId: child.childId, child };
      if (this._onDeleteChild) this._call(this._onDeleteChild, event);
    },
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
