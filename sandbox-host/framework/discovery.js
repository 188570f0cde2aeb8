// Discovery: who and what is registered (spec services §2.9, messaging §8).
//
// A lookup is one `read` to the runtime's discovery room. What is not found is an
// empty list; only `discoverHypertiesPerGUID` and the deprecated lookups reject.

/**
 * @typedef {object} RegistryRecord what is registered about a hyperty or data object
 * @property {string} [hypertyID] address of a hyperty
 * @property {string} [url] address of a data object
 * @property {"live"|"disconnected"} status
 * @property {string} [runtime]
 * @property {string} [lastModified] ISO 8601
 * @property {string[]} [dataSchemes]
 * @property {string[]} [resources]
 * @property {string} [descriptor]
 * @property {string} [userID]
 */

export default function (host) {
  host.need("ask");
  host.need("discovered_object");
  host.need("discovery_deprecated");
  const { DeprecatedDiscovery, DiscoveredObject, isLegacy } = host.services;

  class Discovery extends DeprecatedDiscovery {
    /**
     * @param {string} hypertyURL the component that asks
     * @param {string} runtimeURL
     * @param {object} msgBus
     */
    constructor(hypertyURL, runtimeURL, msgBus) {
      super();
      this.messageBus = msgBus;
      this.runtimeURL = runtimeURL;
      this.domain = host.divideURL(hypertyURL).domain;
      this.discoveryURL = hypertyURL;
    }

    /**
     * Finds the hyperties of a user, without the one that asks.
     *
     * @param {string} user a user URL, or an e-mail
     * @param {string[]} [schema] schemes of the data objects that they must handle
     * @param {string[]} [resources] resource types that they must have
     * @param {string} [domain] whose registry; one's own without
     * @returns {Promise<RegistryRecord[]>}
     */
    async discoverHyperties(user, schema, resources, domain) {
      if (isLegacy(user)) return [{ hypertyID: user, status: "live" }];
      return this.#others(await this.#list(`/hyperty/user/${user}`, this.#within(schema, resources, domain)));
    }

    /** Finds the data objects that a user's hyperties report; arguments as for `discoverHyperties`. */
    discoverDataObjects(user, schema, resources, domain) {
      return this.#list(`/dataObject/user/${user}`, this.#within(schema, resources, domain));
    }

    /**
     * Looks a hyperty up.
     *
     * @param {string} url
     * @param {string} [domain]
     * @returns {Promise<RegistryRecord|[]>} an empty list when it is not registered
     */
    discoverHypertyPerURL(url, domain) {
      return this.#one(`/hyperty/url/${url}`, domain);
    }

    /** Looks a data object up, as `discoverHypertyPerURL`. */
    discoverDataObjectPerURL(url, domain) {
      return this.#one(`/dataObject/url/${url}`, domain);
    }

    /**
     * Finds data objects by the name they were created with.
     *
     * @param {string} name
     * @param {string[]} [schema]
     * @param {string[]} [resources]
     * @param {string} [domain]
     * @returns {Promise<RegistryRecord[]>}
     */
    discoverDataObjectsPerName(name, schema, resources, domain) {
      return this.#list(`/dataObject/name/${name}`, this.#within(schema, resources, domain));
    }

    /** Finds the data objects of a reporter, given by its hyperty's address. */
    discoverDataObjectsPerReporter(reporter, schema, resources, domain) {
      return this.#list(`/dataObject/reporter/${reporter}`, this.#within(schema, resources, domain));
    }

    /**
     * Finds the hyperties of whoever has this GUID, without the one that asks.
     *
     * @param {string} guidURL `user-guid://…`
     * @param {string[]} [schema]
     * @param {string[]} [resources]
     * @returns {Promise<RegistryRecord[]>} empty when the lookup fails; rejected with `No Hyperty
     *   was found` when it succeeds and finds none
     */
    async discoverHypertiesPerGUID(guidURL, schema, resources) {
      const { found, value } = await this.#read(`/hyperty/guid/${guidURL}`, anywhere(schema, resources));
      const others = this.#others(listed(value));
      if (found && others.length === 0) throw "No Hyperty was found";
      return others;
    }

    /** Finds the data objects of whoever has this GUID. */
    discoverDataObjectsPerGUID(guidURL, schema, resources) {
      return this.#list(`/dataObject/guid/${guidURL}`, anywhere(schema, resources));
    }

    /** Finds hyperties by a text in the profile of their user, without the one that asks. */
    async discoverHypertiesPerUserProfileData(userIdentifier, schema, resources) {
      if (isLegacy(userIdentifier)) return [{ hypertyID: userIdentifier, status: "live" }];
      const resource = `/hyperty/userprofile/${userIdentifier}`;
      return this.#others(await this.#list(resource, anywhere(schema, resources)));
    }

    /** Finds data objects by a text in the profile of their user. */
    async discoverDataObjectsPerUserProfileData(userIdentifier, schema, resources) {
      if (isLegacy(userIdentifier)) return [{ hypertyID: userIdentifier, status: "live" }];
      return this.#list(`/dataObject/userprofile/${userIdentifier}`, anywhere(schema, resources));
    }

    /**
     * Finds again what this hyperty waits for since before its restart.
     *
     * @returns {Promise<DiscoveredObject[]>} without what is registered no more
     */
    async resumeDiscoveries() {
      const to = `${this.runtimeURL}/subscriptions`;
      const body = { resource: this.discoveryURL };
      const message = { type: "read", from: this.discoveryURL, to, body };
      const { code, value } = await host.ask(this.messageBus, message);
      const subscribed = code === 200 && Array.isArray(value) ? value : [];
      const urls = subscribed.map(String).filter((url) => url.endsWith("/registration"));
      const lookups = urls.map((url) => this.#record(url.slice(0, -"/registration".length)));
      const records = (await Promise.all(lookups)).filter((record) => !Array.isArray(record));
      return this._convertToDiscoveredObject(records);
    }

    _convertToDiscoveredObject(records) {
      return records.map(
        (data) => new DiscoveredObject(data, this.runtimeURL, this.discoveryURL, this.messageBus, this),
      );
    }

    #record(url) {
      return url.startsWith("hyperty://") ? this.discoverHypertyPerURL(url) : this.discoverDataObjectPerURL(url);
    }

    #others(records) {
      return records.filter((record) => record.hypertyID !== this.discoveryURL);
    }

    #within(schema, resources, domain) {
      return { ...anywhere(schema, resources), domain: domain || this.domain };
    }

    async #one(resource, domain) {
      const { value } = await this.#read(resource, { domain: domain || this.domain });
      return isRecord(value) ? value : [];
    }

    async #list(resource, criteria) {
      return listed((await this.#read(resource, criteria)).value);
    }

    // A registry behind a message node answers 500 with a value where all that it
    // found is disconnected.
    async #read(resource, criteria) {
      const body = criteria === undefined ? { resource } : { resource, criteria };
      const to = `${this.runtimeURL}/discovery/`;
      const { code, value } = await host.ask(this.messageBus, { type: "read", from: this.discoveryURL, to, body });
      return { found: code === 200, value: code === 200 || code === 500 ? value : undefined };
    }
  }

  function anywhere(schema, resources) {
    return schema || resources ? { resources, dataSchemes: schema } : undefined;
  }

  // What comes from other domains need not be a record.
  const isRecord = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const listed = (value) => (Array.isArray(value) ? value.filter(isRecord) : []);

  // Each lookup of several has a twin that makes live objects of the records.
  const LISTS = [
    "discoverHyperties", "discoverDataObjects", "discoverDataObjectsPerName",
    "discoverDataObjectsPerReporter", "discoverHypertiesPerGUID", "discoverDataObjectsPerGUID",
    "discoverHypertiesPerUserProfileData", "discoverDataObjectsPerUserProfileData",
  ];
  for (const name of LISTS) {
    method(Discovery, `${name}DO`, async function (...args) {
      return this._convertToDiscoveredObject(await this[name](...args));
    });
  }
  // What is not found can still be waited for, so it keeps its address.
  for (const [name, key] of [["discoverHypertyPerURL", "hypertyID"], ["discoverDataObjectPerURL", "url"]]) {
    method(Discovery, `${name}DO`, async function (url, domain) {
      const record = await this[name](url, domain);
      return this._convertToDiscoveredObject([Array.isArray(record) ? { [key]: url } : record])[0];
    });
  }

  function method(type, name, value) {
    Object.defineProperty(type.prototype, name, { value, writable: true, configurable: true });
  }

  /** @returns {Discovery} */
  host.services.createDiscovery = (hypertyURL, runtimeURL, bus) => {
    if (bus !== undefined) return new Discovery(hypertyURL, runtimeURL, bus);
    // A published stub leaves the runtime out.
    return new Discovery(hypertyURL, host.configurationOf(hypertyURL).runtimeURL, runtimeURL);
  };
}
