// IdentityManager: who a hyperty acts for (spec services §2.8).

export default function (host) {
  host.need("ask");

  class IdentityManager {
    /**
     * @param {string} owner address of the component that asks
     * @param {string} runtimeURL
     * @param {object} msgBus
     */
    constructor(owner, runtimeURL, msgBus) {
      this.messageBus = msgBus;
      this.domain = host.divideURL(owner).domain;
      this.owner = owner;
      this.runtimeURL = runtimeURL;
    }

    /**
     * Asks the registry for the user of a hyperty.
     *
     * @param {string} [type] `.` for the whole profile, or one of its members, such as `userURL`
     * @param {string} [hyperty] whose user; it is also who asks, so only one's own is answered
     * @returns {Promise<object|string>} the profile or the member; rejected with a text when there
     *   is none
     */
    async discoverUserRegistered(type = ".", hyperty = this.owner) {
      const body = { resource: type || ".", criteria: hyperty || this.owner };
      const message = { type: "read", from: body.criteria, to: `${this.runtimeURL}/registry/`, body };
      const { resource, code } = await host.ask(this.messageBus, message);
      if (resource && code === 200) return resource;
      throw `code: ${code} No user was found`;
    }

    /**
     * Asks the identity module for the identity of an identity provider's domain.
     *
     * @param {string} [idp]
     * @returns {Promise<object>} rejected with a text that starts with the code
     */
    async discoverIdentityPerIdP(idp) {
      const body = { resource: idp, criteria: "idp" };
      const message = { type: "read", from: this.owner, to: `${this.runtimeURL}/idm`, body };
      const reply = await host.ask(this.messageBus, message);
      if (reply.code === 200 && reply.value !== undefined) return reply.value;
      throw host.reason(reply);
    }
  }

  /** @returns {IdentityManager} */
  host.services.createIdentityManager = (hypertyURL, runtimeURL, bus) =>
    new IdentityManager(hypertyURL, runtimeURL, bus);
}
