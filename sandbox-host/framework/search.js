// Search: the newest hyperty of each of several users (spec services §2.11).

const NOT_FOUND = "No Hyperty was found";

export default function (host) {
  class Search {
    /**
     * @param {object} discovery
     * @param {object} identityManager
     */
    constructor(discovery, identityManager) {
      host.needed({ discovery, identityManager });
      this.discovery = discovery;
      this.identityManager = identityManager;
    }

    /** @returns {Promise<object>} the profile of this component's user */
    myIdentity() {
      return this.identityManager.discoverUserRegistered();
    }

    /** Published without a body, and kept so. */
    hyperties() {}

    /**
     * Finds one hyperty for each user who has one: the one that was modified last.
     *
     * @param {string[]} usersURLs
     * @param {string[]} providedDomains one for each user
     * @param {string[]} schemes
     * @param {string[]} resources
     * @param {boolean} [globalFlag] search by profile, in all domains
     * @returns {Promise<object[]>} records; rejected with a text when every lookup was
     * @throws {Error} without one of the four lists
     */
    users(usersURLs, providedDomains, schemes, resources, globalFlag = false) {
      for (const [name, list] of Object.entries({ users: usersURLs, domains: providedDomains, resources, schemes })) {
        if (!list) throw new Error(`You need to provide a list of ${name}`);
      }
      return this.#users(usersURLs, providedDomains, schemes, resources, globalFlag);
    }

    async #users(users, domains, schemes, resources, isGlobal) {
      const { discovery } = this;
      const lookups = users.map((user, at) =>
        isGlobal
          ? discovery.discoverHypertiesPerUserProfileData(user, schemes, resources)
          : discovery.discoverHyperties(user, schemes, resources, domains[at]));
      const results = await Promise.allSettled(lookups);
      const failed = results.filter(({ status }) => status === "rejected");
      if (failed.length > 0 && failed.length === results.length) throw failed[0].reason ?? NOT_FOUND;
      return results.map(({ value }) => newest(value)).filter((record) => record?.hypertyID !== undefined);
    }
  }

  function newest(records) {
    let found;
    let at = -Infinity;
    for (const record of Object.values(records ?? [])) {
      // A record without a date is older than any other, and better than none.
      const modified = Date.parse(record?.lastModified);
      if (found !== undefined && !(modified > at)) continue;
      found = record;
      at = Number.isNaN(modified) ? -Infinity : modified;
    }
    return found;
  }

  /** @returns {Search} */
  host.services.createSearch = (discovery, identityManager) => new Search(discovery, identityManager);
}
