// ChatController: a conversation of users, whose hyperties are looked for
// (spec services §2.12).

export default function (host) {
  host.need("conversation");
  host.need("invitations_handler");
  const { Conversation, InvitationsHandler, discoverPeople } = host.services;

  class ChatController extends Conversation {
    /**
     * @param {object} syncher
     * @param {object} discovery
     * @param {string} domain
     * @param {object} search
     * @param {object} [identity] profile of this side's user
     * @param {object} [manager]
     */
    constructor(syncher, discovery, domain, search, identity, manager) {
      host.needed({ discovery, search });
      super(syncher, domain, identity, manager);
      this.discovery = discovery;
      this.search = search;
      this._invitationsHandler = new InvitationsHandler(syncher.owner ?? syncher._owner);
    }

    /** Invitations that wait for their users. */
    get invitationsHandler() {
      return this._invitationsHandler;
    }

    onInvitationResponse(callback) {
      super.onInvitationResponse(callback);
      this._invitationsHandler.invitationResponse = callback;
    }

    // `users` are `{user, domain}`.
    async _invite(users) {
      const { live, disconnected } = await discoverPeople(this.discovery, users);
      const reporter = this._dataObjectReporter;
      const handler = this._invitationsHandler;
      reporter.inviteObservers(Object.keys(live));
      handler.processInvitations(live, reporter);
      handler.inviteDisconnectedHyperties(disconnected, reporter);
    }

    _beforeClose() {
      return this._invitationsHandler.cleanInvitations(this._dataObjectReporter);
    }
  }

  /** @returns {ChatController} */
  host.services.createChatController = (syncher, discovery, domain, search, identity, manager) =>
    new ChatController(syncher, discovery, domain, search, identity, manager);
}
