// What Chat and ChatController have in common: one data object, and the wiring
// between it and the callbacks of an application (spec services §2.12).

/** What of an identity no other participant may see. */
const SECRETS = ["assertion", "accessToken", "refresh", "expires"];

export default function (host) {
  host.need("registration_status");
  host.need("conversation_people");
  const { participantKey, peopleOf } = host.services;

  host.services.Conversation = class Conversation {
    /**
     * @param {object} syncher
     * @param {string} domain
     * @param {object} [identity] profile of this side's user
     * @param {object} [manager] who keeps this conversation in its maps
     */
    constructor(syncher, domain, identity, manager) {
      host.needed({ syncher, domain });
      this._syncher = syncher;
      this.domain = domain;
      this.myIdentity = identity;
      this._manager = manager;
      this.controllerMode = "reporter";
      this.child_cseq = 0;
      this._objectDescURL = `hyperty-catalogue://catalogue.${domain}/.well-known/dataschema/Communication`;
    }

    [host.shown]() {
      return { mode: this.controllerMode, dataObject: this.dataObject };
    }

    /** Address of the data object. */
    get url() {
      return this.dataObject.url;
    }

    /** The reporter or the observer, whichever this side has. */
    get dataObject() {
      return this.controllerMode === "reporter" ? this._dataObjectReporter : this._dataObjectObserver;
    }

    /** The messages so far, by their address. */
    get messages() {
      return this.dataObject.childrens;
    }

    get dataObjectReporter() {
      return this._dataObjectReporter;
    }

    /** Whoever subscribes becomes a participant; who is one may add and remove others. */
    set dataObjectReporter(reporter) {
      host.needed({ reporter });
      this.controllerMode = "reporter";
      this._dataObjectReporter = reporter;
      reporter.onSubscription((event) => {
        if (event.type === "subscribe") this._onSubscribe(event);
        else this._onUnsubscribe(event);
      });
      reporter.onRead((event) => event.accept());
      reporter.onResponse((event) => this._onResponse?.(event));
      reporter.onExecute((event) => {
        this._onExecute(event).then(() => event.accept(), (reason) => event.reject(String(reason)));
      });
      this.#takeMessages(reporter);
      this._follow(reporter);
    }

    get dataObjectObserver() {
      return this._dataObjectObserver;
    }

    set dataObjectObserver(observer) {
      host.needed({ observer });
      this.controllerMode = "observer";
      this._dataObjectObserver = observer;
      observer.onChange("*", (event) => {
        if (event.field === "participants" || event.field.startsWith("participants.")) this.#changed(event);
        this._onChange?.(event);
      });
      this.#takeMessages(observer);
    }

    /** Set when the reporter has deleted the conversation. */
    set closeEvent(event) {
      this._closeEvent = event;
      this._onClose?.(event);
    }

    get closeEvent() {
      return this._closeEvent;
    }

    /** @param {(child: object) => void} callback called with each message of another participant */
    onMessage(callback) {
      this._onMessage = callback;
    }

    /** @param {(event: object) => void} callback observer: each change of the data */
    onChange(callback) {
      this._onChange = callback;
    }

    /**
     * @param {(user: object) => void} callback reporter: `{hypertyURL, domain, identity}`; observer:
     *   the change of the participants, as `onChange`
     */
    onUserAdded(callback) {
      this._onUserAdded = callback;
    }

    /** @param {(user: object) => void} callback reporter: the profile; observer: the change */
    onUserRemoved(callback) {
      this._onUserRemoved = callback;
    }

    /** @param {(event: object) => void} callback called when the conversation is over */
    onClose(callback) {
      this._onClose = callback;
    }

    /** @param {(event: {type: string, url: string, code: number}) => void} callback reporter only */
    onResponse(callback) {
      this._onResponse = callback;
    }

    /** @param {(result: {invited: string, code: number, desc: string}) => void} callback */
    onInvitationResponse(callback) {
      this._onInvitationResponse = callback;
    }

    /** @param {(event: object) => void} callback called while another participant types */
    onTyping(callback) {
      this.dataObject.onEvent((event) => {
        if (event.value === "typing") callback(event);
      });
    }

    /** Tells the others that this side's user types. */
    typing() {
      this.dataObject.sendEvent("typing");
    }

    /**
     * Sends a message to all participants.
     *
     * @param {any} message
     * @param {object} [identity] of whoever wrote it, when not this side's user
     * @returns {Promise<{childId: string, from: string, value: object, type: "create",
     *   identity: object}>} done once it is on its way. When the reporter cannot be reached, it is
     *   sent to it again as soon as it is back.
     */
    async send(message, identity) {
      this.child_cseq += 1;
      const sender = identity ?? { userProfile: this.myIdentity };
      const child = await this._addMessage({ type: "chat", content: message }, sender);
      this.#shareWhenLive(child);
      return { childId: child.childId, from: child._owner, value: child.data, type: "create", identity: sender };
    }

    /**
     * Sends a file to all participants.
     *
     * @param {object} file a File
     * @returns {Promise<{value: object, identity: object, resource: object}>}
     */
    async sendFile(file) {
      const identity = { userProfile: this.myIdentity };
      const resource = await this.dataObject.addHypertyResource("file", file, identity);
      this.#shareWhenLive(resource);
      return { value: resource, identity, resource };
    }

    /**
     * Asks the reporter to invite users; a reporter does it itself.
     *
     * @param {object[]} users as for `addUser`
     * @returns {Promise<true>} rejected with a text when they are refused
     */
    async addUserReq(users) {
      if (this.controllerMode === "reporter") return this.addUser(users);
      refuseNobody(users);
      await this._dataObjectObserver.execute("addUser", users);
      return true;
    }

    /**
     * Invites users. An observer asks the reporter to do it.
     *
     * @param {object[]} users
     * @returns {Promise<true>} done once they are invited, not once they have joined
     */
    async addUser(users) {
      refuseNobody(users);
      if (this.controllerMode === "observer") return this.addUserReq(users);
      await this._invite(users);
      return true;
    }

    /**
     * Takes a user out of the participants, whereupon their side leaves. An observer asks the
     * reporter to do it.
     *
     * @param {string|object} user a user URL, GUID or hyperty address, or an object with one of
     *   them as `user`, `hypertyURL`, `userURL` or `guid`
     * @returns {Promise<true>} rejected with a text when nobody is meant
     */
    async removeUser(user) {
      if (this.controllerMode === "observer") {
        await this._dataObjectObserver.execute("removeUser", [user]);
        return true;
      }
      const { participants } = this._dataObjectReporter.data;
      const meant = peopleOf(participants, user);
      if (meant.length === 0) throw "the user to be removed is no participant";
      for (const key of meant) this.#remove(participants, key);
      return true;
    }

    /**
     * Leaves the conversation. A reporter deletes it for everybody.
     *
     * @param {boolean} [del] false to keep it: a reporter marks it as closed
     * @returns {Promise<true>}
     */
    async close(del = true) {
      const { url } = this;
      if (this.controllerMode === "observer") {
        if (!del) return true;
        delete this._manager?._observersControllers[url];
        this._dataObjectObserver.unsubscribe();
        return true;
      }
      await this._beforeClose();
      if (!del) {
        this._dataObjectReporter.data.status = "closed";
        return true;
      }
      delete this._manager?._reportersControllers[url];
      this._dataObjectReporter.delete();
      this._onClose?.({ code: 200, desc: "deleted", url });
      return true;
    }

    _addMessage(message, sender) {
      return this.dataObject.addChild(message, sender);
    }

    // What became of the invitations that were sent with the creation.
    _follow() {}

    async _beforeClose() {}

    _onSubscribe(event) {
      event.accept();
      const identity = shown(event.identity);
      const user = { hypertyURL: event.url, domain: event.domain, identity };
      if (identity.legacy) user.legacy = identity.legacy;
      const { data } = this._dataObjectReporter;
      if (data.participants === undefined) data.participants = {};
      data.participants[participantKey(identity, event.url)] = user;
      this._onUserAdded?.(user);
    }

    _onUnsubscribe(event) {
      const { participants = {} } = this._dataObjectReporter.data;
      const key = participantKey(event.identity ?? {}, event.url);
      const isTheirs = participants[key]?.hypertyURL === event.url;
      // Who has joined with another device since is still there.
      for (const gone of isTheirs ? [key] : peopleOf(participants, event.url)) this.#remove(participants, gone);
    }

    async _onExecute({ method, params, url }) {
      const { data, subscriptions = {} } = this._dataObjectReporter;
      const isMember = Object.hasOwn(subscriptions, url) || peopleOf(data.participants ?? {}, url).length > 0;
      if (!isMember) throw `\`${url}\` is no participant`;
      const given = Array.isArray(params) ? params.flat() : [params];
      if (method === "addUser") return this.addUser(given);
      if (method !== "removeUser") throw `no method \`${method}\`; there are addUser and removeUser`;
      for (const user of given) await this.removeUser(user);
    }

    #remove(participants, key) {
      const { userProfile = {}, legacy } = participants[key]?.identity ?? {};
      const profile = legacy ? { ...userProfile, legacy } : { ...userProfile };
      delete participants[key];
      this._onUserRemoved?.(profile);
    }

    #changed(event) {
      if (event.cType === "add") this._onUserAdded?.(event);
      if (event.cType !== "remove") return;
      this._onUserRemoved?.(event);
      const { data, url } = this._dataObjectObserver;
      const me = this._manager?._myUrl ?? this._syncher.owner;
      if (peopleOf(data.participants ?? {}, me).length > 0 || !this.#wasIn(event, me)) return;
      this.close().then(() => (this.closeEvent = { code: 200, desc: "removed", url }));
    }

    // The change names the key of who was removed; only oneself is known by it.
    #wasIn({ field }, me) {
      const profile = this.myIdentity?.userProfile ?? this.myIdentity ?? {};
      return [profile.guid, profile.userURL, me].some((key) => field === `participants.${key}`);
    }

    #takeMessages(dataObject) {
      dataObject.onAddChild((child) => {
        this.child_cseq += 1;
        this._onMessage?.(child);
      });
    }

    #shareWhenLive(child) {
      const manager = this._manager;
      if (manager === undefined) return;
      Promise.resolve(child.sharingStatus).catch(() => {
        const { RegistrationStatus } = host.services;
        const status = new RegistrationStatus(this.url, manager._runtimeURL, manager._myUrl, manager._bus);
        return status.onLive(manager._myUrl, () => {
          status.unsubscribeLive(manager._myUrl).catch((reason) => console.warn(reason));
          child.share(true);
          this.#shareWhenLive(child);
        });
      }).catch((reason) => console.warn(`a message waits in vain for \`${this.url}\`:`, reason));
    }
  };

  function refuseNobody(users) {
    const some = Array.isArray(users) && users.some((user) => user && user.length !== 0);
    if (!some) throw "Don't have users to invite";
  }

  function shown(identity) {
    const copy = JSON.parse(JSON.stringify(identity ?? {}));
    for (const secret of SECRETS) delete copy[secret];
    copy.userProfile ??= {};
    return copy;
  }
}
