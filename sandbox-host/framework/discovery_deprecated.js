// The lookups that older components make: straight to the registry of a domain,
// without the runtime's discovery (spec services §2.9).

export default function (host) {
  host.need("ask");

  // Users of other networks, such as `slack:bob`, are in no registry.
  const isLegacy = (user) => user.includes(":") && !user.startsWith("user://");
  host.services.isLegacy = isLegacy;

  // `name@domain` is registered as `user://domain/name`.
  function userURL(user) {
    const at = user.indexOf("@");
    if (user.includes("://") || at < 0) return user;
    return `user://${user.slice(at + 1)}/${user.slice(0, at)}`;
  }

  /** The base of Discovery: its deprecated methods. */
  host.services.DeprecatedDiscovery = class DeprecatedDiscovery {
    /**
     * @deprecated by `discoverDataObjectsPerName`
     * @param {string} name
     * @param {string[]} [schema]
     * @param {string[]} [resources]
     * @param {string} [domain]
     * @returns {Promise<object|[]>} records by address
     */
    async discoverDataObject(name, schema, resources, domain) {
      const criteria = { resources, dataSchemes: schema };
      const { code, value } = await this.#registry(domain, { resource: name, criteria });
      return code > 299 ? [] : value || [];
    }

    /**
     * @deprecated by `discoverHyperties`
     * @param {string} user user URL or e-mail
     * @param {string[]} [schema]
     * @param {string[]} [resources]
     * @param {string} [domain]
     * @returns {Promise<object>} records by address; rejected with `No Hyperty was found`
     */
    async discoverHyperty(user, schema, resources, domain) {
      if (isLegacy(user)) return { userID: user, hypertyID: user, schema, resources };
      const criteria = { resources, dataSchemes: schema };
      const { value } = await this.#registry(domain, { resource: userURL(user), criteria });
      if (!value) throw "No Hyperty was found";
      return value;
    }

    /**
     * @deprecated by `discoverHyperties`
     * @param {string} email
     * @param {string} [domain]
     * @returns {Promise<{id: string, descriptor: string, hypertyURL: string}>} the hyperty that was
     *   modified last; rejected with `User Hyperty not found`
     */
    async discoverHypertyPerUser(email, domain) {
      if (isLegacy(email)) return { id: email, hypertyURL: email, descriptor: "unknown" };
      const { value } = await this.#registry(domain, { resource: userURL(email) });
      let hypertyURL;
      let newest = -Infinity;
      for (const [url, record] of Object.entries(value ?? {})) {
        const modified = Date.parse(record.lastModified);
        if (modified > newest) [newest, hypertyURL] = [modified, url];
      }
      if (hypertyURL === undefined) throw "User Hyperty not found";
      return { id: email, descriptor: value[hypertyURL].descriptor, hypertyURL };
    }

    /**
     * @deprecated by `discoverHyperties`
     * @param {string} email
     * @param {string} [domain]
     * @returns {Promise<object>} records by address; rejected with `User Hyperty not found`
     */
    async discoverHypertiesPerUser(email, domain) {
      if (isLegacy(email)) return { userID: email, hypertyID: email };
      const { value } = await this.#registry(domain, { resource: userURL(email) });
      if (!value) throw "User Hyperty not found";
      return value;
    }

    #registry(domain, body) {
      const to = `domain://registry.${domain || this.domain}`;
      return host.ask(this.messageBus, { type: "read", from: this.discoveryURL, to, body });
    }
  };
}
