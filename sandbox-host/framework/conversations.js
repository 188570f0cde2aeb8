// What ChatManager and SimpleChatManager have in common: who we are, which
// conversations there are, and the news about them (spec services §2.12).

export default function (host) {
  host.need("conversation_people");

  host.services.Conversations = class Conversations {
    /**
     * @param {string} myUrl
     * @param {object} bus
     * @param {object} configuration with `runtimeURL`
     * @param {object} [syncher]
     */
    constructor(myUrl, bus, configuration, syncher) {
      host.needed({ myUrl, bus, configuration });
      const { runtimeURL } = configuration;
      this._myUrl = myUrl;
      this._bus = bus;
      this._runtimeURL = runtimeURL;
      this._domain = host.divideURL(runtimeURL).domain;
      this._objectDescURL = `hyperty-catalogue://catalogue.${this._domain}/.well-known/dataschema/Communication`;
      this._syncher = syncher || host.service("createSyncher")(myUrl, bus, configuration);
      this._reportersControllers = {};
      this._observersControllers = {};
      this.identityManager = host.service("createIdentityManager")(myUrl, runtimeURL, bus);
      this.communicationObject = { startingTime: "", status: "", participants: {} };
      this.communicationChildren = { parent: "communication", listener: "resources", type: "HypertyResource" };
    }

    [host.shown]() {
      const reporters = Object.keys(this._reportersControllers);
      return { owner: this._myUrl, reporters, observers: Object.keys(this._observersControllers) };
    }

    /** Address of the hyperty that keeps the conversations while this one is away, or false. */
    set offline(offline) {
      this._offline = offline;
    }

    get offline() {
      return this._offline ? this._offline : false;
    }

    /** @param {(event: object) => void} callback called with each invitation */
    onInvitation(callback) {
      this._onInvitation = callback;
    }

    /**
     * Takes a notification of the syncher in: an invitation, or the end of a conversation.
     *
     * @param {object} event
     */
    processNotification(event) {
      if (event.type === "create") this._onInvitation?.(event);
      if (event.type !== "delete") return;
      event.ack(200);
      const { url } = event;
      if (!Object.hasOwn(this._observersControllers, url)) return;
      const ended = this._observersControllers[url];
      delete this._observersControllers[url];
      ended.closeEvent = event;
    }

    /**
     * @param {object} [identity] returned as it is
     * @returns {Promise<object>} the profile of this hyperty's user
     */
    async myIdentity(identity) {
      if (identity) return identity;
      // Stubs act for many users.
      const isHyperty = this._myUrl.includes("hyperty://");
      const { identityManager } = this;
      this.currentIdentity = await (isHyperty
        ? identityManager.discoverUserRegistered()
        : identityManager.discoverIdentityPerIdP());
      return this.currentIdentity;
    }

    // Its own data for each conversation: participants of one are none of another's.
    async _report(name, hyperties, extra) {
      const profile = await this.myIdentity();
      const me = host.services.participant(this._myUrl, this._domain, profile);
      const key = host.services.participantKey(me.identity, this._myUrl);
      this.communicationObject = {
        cseq: 1,
        startingTime: new Date().toJSON(),
        status: "open",
        participants: { [key]: me },
      };
      const input = { resources: ["chat"], mutual: true, ...extra };
      delete input.name;
      if (this.offline) input.offline = this.offline;
      const data = this.communicationObject;
      const reporter = await this._syncher.create(this._objectDescURL, hyperties, data, true, false, name, {}, input);
      const conversation = this._conversation(profile);
      conversation.dataObjectReporter = reporter;
      this._reportersControllers[reporter.url] = conversation;
      return conversation;
    }

    async _observe(url, mutual, given) {
      const identity = await this.myIdentity(given);
      const input = {
        schema: this._objectDescURL,
        resource: url,
        store: true,
        p2p: false,
        mutual,
        domain_subscription: true,
        identity,
      };
      if (this.offline) input.offline = this.offline;
      const observer = await this._syncher.subscribe(input);
      const conversation = this._conversation(identity);
      conversation.dataObjectObserver = observer;
      this._observersControllers[observer.url] = conversation;
      return conversation;
    }
  };
}
