// SimpleChatManager: as ChatManager, for hyperties whose addresses are known
// (spec services §2.12).

export default function (host) {
  host.need("conversations");

  class SimpleChatManager extends host.services.Conversations {
    _defaultStubTriggered = false;

    /** Whether conversations are kept in a remote backup. */
    set backup(backup) {
      this._backup = backup;
    }

    get backup() {
      return this._backup ? this._backup : false;
    }

    /**
     * Creates a conversation and invites its participants.
     *
     * @param {string} name
     * @param {string[]} hyperties their addresses
     * @param {object} [extra] further metadata of the data object, such as `mutual`
     * @returns {Promise<object>} the Chat
     */
    create(name, hyperties, extra = {}) {
      return this._report(name, hyperties, this.backup ? { ...extra, backup: this.backup } : extra);
    }

    /**
     * Joins a conversation.
     *
     * @param {string} invitationURL its address
     * @param {boolean} [mutual]
     * @param {object} [identity] of whoever joins, when not this hyperty's user
     * @returns {Promise<object>} the Chat
     */
    join(invitationURL, mutual = false, identity) {
      return this._observe(invitationURL, mutual, identity);
    }

    /**
     * @param {(event: object) => void} callback called with each invitation. Asking for them starts
     *   the stub of the domain, once, so that they arrive.
     */
    onInvitation(callback) {
      super.onInvitation(callback);
      if (this._defaultStubTriggered) return;
      this._defaultStubTriggered = true;
      this._bus.postMessage({ type: "execute", from: this._myUrl, to: this._domain });
    }

    /** @param {(event: object) => void} callback called when a conversation was deleted */
    onNotification(callback) {
      this._onNotification = callback;
    }

    processNotification(event) {
      super.processNotification(event);
      if (event.type === "delete") this._onNotification?.(event);
    }

    _conversation(identity) {
      return host.service("createChat")(this._syncher, this._domain, identity, this);
    }
  }

  /** @returns {SimpleChatManager} */
  host.services.createSimpleChatManager = (hypertyURL, bus, configuration, syncher) =>
    new SimpleChatManager(hypertyURL, bus, configuration, syncher);
}
