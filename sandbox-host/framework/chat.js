// Chat: a conversation of hyperties that know each other's addresses
// (spec services §2.12).

export default function (host) {
  host.need("conversation");

  class Chat extends host.services.Conversation {
    #followed = new WeakSet();

    // Only the GUID travels with a message; the participants' map has the names.
    _addMessage(message, { guid, userProfile }) {
      const anonymous = { userProfile: { guid: guid ?? userProfile?.guid ?? "anonymous" } };
      return this.dataObject.addChild(message, anonymous, { anonymous: true });
    }

    // Nothing is discovered here: users are addresses of hyperties.
    async _invite(users) {
      const urls = users.map((user) => (typeof user === "string" ? user : user.hypertyURL ?? user.user));
      const wrong = urls.find((url) => typeof url !== "string" || !url.includes("://") || url.startsWith("user://"));
      if (wrong !== undefined || urls.length === 0) throw `\`${wrong}\` is not the address of a hyperty`;
      this._dataObjectReporter.inviteObservers(urls);
      this._follow(this._dataObjectReporter);
    }

    _follow(reporter) {
      const tell = (result) => this._onInvitationResponse?.(result);
      for (const invitation of reporter.invitations) {
        if (this.#followed.has(invitation)) continue;
        this.#followed.add(invitation);
        invitation.then(tell, tell);
      }
    }
  }

  /** @returns {Chat} */
  host.services.createChat = (syncher, domain, identity, manager) =>
    new Chat(syncher, domain, identity, manager);
}
