// The Syncher: a component's way to data objects (spec services §2.3, chapter 1).

const FILES = [
  "data_value",
  "data_tree",
  "data_array",
  "data_delta",
  "data_filters",
  "data_sender",
  "data_receiver",
  "data_family",
  "data_object",
  "data_child",
  "data_reporter",
  "data_observer",
  "syncher_inbox",
  "syncher_read",
];

/** Members of a new object's input that are not its metadata. */
const NOT_METADATA = ["p2p", "store", "observers", "identity"];

export default function (host) {
  for (const file of FILES) host.load(file);
  const { copied, DataObjectReporter, DataObjectObserver, DeltaReceiver, hearOwner, collected } = host.data;

  /** Creates data objects and observes those of others, for one component. */
  class Syncher {
    /**
     * @param {string} owner the component's address
     * @param {object} bus
     * @param {{runtimeURL: string, p2pHandler?: string, p2pRequester?: string}} config
     */
    constructor(owner, bus, config) {
      if (!config?.runtimeURL) throw new Error("[Syncher] the configuration has no `runtimeURL`");
      this._owner = owner;
      this._bus = bus;
      this._runtimeUrl = config.runtimeURL;
      this._p2pHandler = config.p2pHandler;
      this._p2pRequester = config.p2pRequester;
      this._subURL = `${config.runtimeURL}/sm`;
      this._reporters = {};
      this._observers = {};
      hearOwner(this);
    }

    [host.shown]() {
      const [reporters, observers] = [this._reporters, this._observers].map(Object.keys);
      return { owner: this._owner, reporters, observers };
    }

    /** @returns {string} */
    get owner() {
      return this._owner;
    }

    /** @returns {Object<string, DataObjectReporter>} by address, live */
    get reporters() {
      return this._reporters;
    }

    /** @returns {Object<string, DataObjectObserver>} by address, live */
    get observers() {
      return this._observers;
    }

    /**
     * Creates a data object.
     *
     * @param {string} schema catalogue URL of its data schema
     * @param {string[]} observers hyperties to invite
     * @param {object} initialData
     * @param {boolean} [store] whether observers keep the data as well
     * @param {boolean} [p2p]
     * @param {string} [name]
     * @param {object} [identity] `{}` means the component's own
     * @param {object} [input] more metadata: `resources`, `reuseURL`, `mutual`,
     *   `domain_registration`, `domain_routing`, `expires`, `offline` …
     * @returns {Promise<DataObjectReporter>} rejected with the Sync Manager's reason
     */
    create(schema, observers, initialData, store = false, p2p = false, name = "no name", identity, input) {
      if (!schema) throw new Error("[Syncher - Create] - You need specify the data object schema");
      if (!observers) throw new Error("[Syncher - Create] - The observers should be defined");
      const now = new Date().toISOString();
      const data = copied(initialData ?? {}, () => "data")?.value ?? {};
      const value = {
        ...input,
        schema,
        name: input?.name || name || "no name",
        // Some components say `reporter: true`.
        reporter: typeof input?.reporter === "string" ? input.reporter : this._owner,
        runtime: this._runtimeUrl,
        created: now,
        lastModified: now,
        resume: false,
        mutual: input?.mutual ?? false,
        p2pHandler: this._p2pHandler,
        p2pRequester: this._p2pRequester,
        authorise: observers,
        data: typeof data === "object" && data !== null ? data : {},
      };
      if (input?.reuseURL) value.resource = input.reuseURL;
      for (const member of NOT_METADATA) delete value[member];
      return this._create(value, { p2p, store, identity });
    }

    /**
     * Takes up again what the component reported before a restart.
     *
     * @param {object} [criteria] such as `{store: true}`; `resume` and `reporter` are set in it
     * @returns {Promise<Object<string, DataObjectReporter>>} all reporters by address; empty when there are none
     */
    async resumeReporters(criteria = {}) {
      criteria.resume = true;
      criteria.reporter ??= this._owner;
      const { p2p, store, observers, identity } = criteria;
      const body = whereGiven({ resume: true, value: criteria }, { p2p, store, authorise: observers, identity });
      const kept = await this._resumed("create", body);
      if (kept === undefined) return {};
      for (const value of kept) {
        const reporter = this._reporters[value.url] ?? this._report({ ...value, resume: true, mutual: false });
        reporter._resume(value);
      }
      this._onReportersResume?.(this._reporters);
      return this._reporters;
    }

    /**
     * Observes a data object.
     *
     * @param {object | string} input `{resource, schema, store, p2p, mutual, domain_subscription, identity, offline}`,
     *   or, as components of the first generation do, the schema, followed by
     *   the address, store, p2p, mutual, domain_subscription and identity
     * @returns {Promise<DataObjectObserver>} rejected with the reason of the reporter or the runtime
     */
    async subscribe(input, ...rest) {
      const wanted = typeof input === "string" ? positional(input, rest) : input;
      const receiver = wanted?.resource ? new DeltaReceiver(this._bus, wanted.resource) : undefined;
      try {
        const body = await this._ask("subscribe", this._subURL, wanted, false);
        const { p2p, store, identity, mutual } = wanted;
        const value = { ...body.value, schema: body.schema, resume: false };
        return this._observe(whereGiven(value, { p2p, store, identity, mutual }), receiver);
      } catch (reason) {
        receiver?.stop();
        throw reason;
      }
    }

    /**
     * Takes up again what the component observed before a restart.
     *
     * @param {object} [criteria] such as `{store: true}`; `resume` is set in it
     * @returns {Promise<Object<string, DataObjectObserver>>} all observers by address; empty when there are none
     */
    async resumeObservers(criteria = {}) {
      criteria.resume = true;
      const receivers = new Map();
      // Updates may come as soon as an object is named.
      const named = ({ resource }) => {
        if (resource && !receivers.has(resource)) receivers.set(resource, new DeltaReceiver(this._bus, resource));
      };
      const kept = await this._resumed("subscribe", criteria, named);
      for (const value of kept ?? []) {
        const receiver = receivers.get(value.url);
        receivers.delete(value.url);
        const observer = this._observe({ ...value, resume: true }, receiver);
        observer.resumeChildrens(value.childrenObjects);
        // The runtime was away, and has not heard yet what it missed.
        if (value.stale === true) observer._receiver.catchUp();
      }
      for (const receiver of receivers.values()) receiver.stop();
      if (kept === undefined) return {};
      this._onObserversResume?.(this._observers);
      return this._observers;
    }

    /**
     * Reads a data object.
     *
     * @param {string} url
     * @param {object} [criteria]
     * @returns {Promise<object>} its metadata with `data`, `version` and `childrenObjects`;
     *   rejected with the reason when there is none
     */
    read(url, criteria = {}) {
      return this._read(url, criteria);
    }

    /** @param {(event: import("./syncher_inbox.js").NotificationEvent) => void} callback */
    onNotification(callback) {
      this._onNotification = callback;
    }

    /** @param {(event: import("./syncher_inbox.js").CloseEvent) => void} callback before the component is ended */
    onClose(callback) {
      this._onClose = callback;
    }

    /** @param {(reporters: Object<string, DataObjectReporter>) => void} callback */
    onReportersResume(callback) {
      this._onReportersResume = callback;
    }

    /** @param {(observers: Object<string, DataObjectObserver>) => void} callback */
    onObserversResume(callback) {
      this._onObserversResume = callback;
    }

    // ---- within the library ---------------------------------------------

    /**
     * Sends a request.
     *
     * @param {string} type
     * @param {string} to
     * @param {object} body
     * @param {boolean} [timeout] false where somebody else sees to an answer
     * @param {(body: object) => void} [provisional] called with answers that are not final
     * @returns {Promise<object>} the body of the answer; rejected with the reason, a text
     */
    _ask(type, to, body, timeout = true, provisional) {
      return new Promise((resolve, reject) => {
        const answered = ({ body: answer = {} }) => {
          const code = Number(answer.code);
          if (code >= 200 && code < 300) resolve(answer);
          else if (code < 200) provisional?.(answer);
          else reject(answer.desc ?? answer.description ?? `code ${answer.code}`);
        };
        this._bus.postMessage({ type, from: this._owner, to, body }, answered, timeout);
      });
    }

    async _read(url, criteria = {}) {
      const parts = collected();
      const body = await this._ask("read", this._subURL, { resource: url, criteria }, false, parts.add);
      return parts.end(body);
    }

    // The objects of a resume, or undefined when there are none.
    _resumed(type, body, provisional) {
      return new Promise((resolve, reject) => {
        const answered = ({ body: answer = {} }) => {
          const { code, desc, description, value } = answer;
          if (code < 200) provisional?.(answer);
          else if (code < 300) resolve(value ?? []);
          else if (code === 404) resolve(undefined);
          else reject(desc ?? description ?? `code ${code}`);
        };
        this._bus.postMessage({ type, from: this._owner, to: this._subURL, body }, answered, false);
      });
    }

    async _create(value, { p2p, store, identity }) {
      const { authorise, ...metadata } = value;
      const body = whereGiven({ resume: false, schema: value.schema, value }, { p2p, store, identity });
      const { resource: url, childrenResources: childrens, version } = await this._ask("create", this._subURL, body);
      const known = this._reporters[url];
      const reporter = known ?? this._report({ ...metadata, url, childrens, version, p2p, store });
      reporter.inviteObservers(authorise, p2p);
      return reporter;
    }

    _report(input) {
      const reporter = new DataObjectReporter({ ...input, status: "live", syncher: this });
      this._reporters[reporter.url] = reporter;
      return reporter;
    }

    _observe(value, receiver) {
      const known = this._observers[value.url];
      if (known !== undefined) {
        receiver?.stop();
        known._synchronise(value);
        return known;
      }
      const input = { ...value, status: "live", syncher: this };
      const observer = new DataObjectObserver(input, receiver ?? new DeltaReceiver(this._bus, value.url));
      this._observers[observer.url] = observer;
      return observer;
    }
  }

  host.services.createSyncher = (owner, bus, config) => new Syncher(owner, bus, config);
}

/** Adds the members that say something. */
function whereGiven(body, members) {
  for (const [name, value] of Object.entries(members)) if (value) body[name] = value;
  return body;
}

function positional(schema, [resource, store, p2p, mutual, domain_subscription, identity]) {
  const input = { resume: false, schema, resource };
  if (mutual !== undefined) input.mutual = mutual;
  if (domain_subscription !== undefined) input.domain_subscription = domain_subscription;
  return whereGiven(input, { store, p2p, identity });
}
