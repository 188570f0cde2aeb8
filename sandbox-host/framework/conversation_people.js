// Who takes part in a conversation: the map in its data, and how people are
// named (spec services §2.12).

export default function (host) {
  /**
   * The key of a participant: the GUID, which the messages carry as well.
   *
   * @param {object} identity
   * @param {string} url of the hyperty, for who has no profile
   */
  host.services.participantKey = (identity, url) => {
    const { guid, userURL } = identity.userProfile ?? {};
    return guid ?? userURL ?? url;
  };

  /**
   * The keys of those who are meant.
   *
   * @param {object} participants
   * @param {string|object} user
   */
  host.services.peopleOf = (participants, user) => {
    const name = typeof user === "object" && user !== null
      ? user.hypertyURL ?? user.guid ?? user.userURL ?? user.user
      : user;
    if (typeof name !== "string") return [];
    return Object.keys(participants).filter((key) => {
      const { hypertyURL, identity } = participants[key] ?? {};
      const { userURL, guid } = identity?.userProfile ?? {};
      return [key, hypertyURL, userURL, guid].includes(name);
    });
  };

  /** The entry of a participant; the profile counts as the identity, too. */
  host.services.participant = (hypertyURL, domain, profile) => {
    const identity = JSON.parse(JSON.stringify(profile));
    if (!Object.hasOwn(identity, "userProfile")) identity.userProfile = JSON.parse(JSON.stringify(profile));
    return { hypertyURL, domain, identity };
  };
}
