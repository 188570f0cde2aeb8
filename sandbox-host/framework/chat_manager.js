// ChatManager: creates, joins and keeps the conversations of users
// (spec services §2.12).

export default function (host) {
  host.need("conversations");
  host.need("invitations_handler");

  class ChatManager extends host.services.Conversations {
    constructor(myUrl, bus, configuration, syncher) {
      super(myUrl, bus, configuration, syncher);
      this.discovery = host.service("createDiscovery")(myUrl, this._runtimeURL, bus);
      this.search = host.service("createSearch")(this.discovery, this.identityManager);
    }

    /**
     * Creates a conversation and invites its users: who is disconnected as soon as they are back.
     *
     * @param {string} name
     * @param {{user: string, domain: string}[]} users
     * @param {object} [extra] further metadata of the data object, such as `mutual`
     * @returns {Promise<object>} the ChatController
     */
    async create(name, users, extra = {}) {
      const { live, disconnected } = await host.services.discoverPeople(this.discovery, users);
      const controller = await this._report(name, Object.keys(live), extra);
      const { invitationsHandler, dataObjectReporter } = controller;
      invitationsHandler.processInvitations(live, dataObjectReporter);
      invitationsHandler.inviteDisconnectedHyperties(disconnected, dataObjectReporter);
      return controller;
    }

    /**
     * Joins a conversation.
     *
     * @param {string} invitationURL its address
     * @param {boolean} [mutual]
     * @param {object} [identity] of whoever joins, when not this hyperty's user
     * @returns {Promise<object>} the ChatController
     */
    join(invitationURL, mutual = true, identity) {
      return this._observe(invitationURL, mutual, identity);
    }

    _conversation(identity) {
      const create = host.service("createChatController");
      return create(this._syncher, this.discovery, this._domain, this.search, identity, this);
    }
  }

  /** @returns {ChatManager} */
  host.services.createChatManager = (hypertyURL, bus, configuration, syncher) =>
    new ChatManager(hypertyURL, bus, configuration, syncher);
}
