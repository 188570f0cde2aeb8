// What components get as `factory`: the service framework (spec services §2.1).
//
// A service is loaded when its factory method is called for the first time: its
// file leaves the method on `host.services`.

const SERVICES = {
  createSyncher: "syncher",
  createIdentityManager: "identity_manager",
  createDiscovery: "discovery",
  createSearch: "search",
  createContextObserver: "context_observer",
  createContextReporter: "context_reporter",
  createNotificationHandler: "notification_handler",
  createChatManager: "chat_manager",
  createChatController: "chat_controller",
  createSimpleChatManager: "simple_chat_manager",
  createChat: "chat",
  createRegistrationStatus: "registration_status",
  requireHyperty: "rpc",
};

// scheme, domain, and the rest with its slash
const SHAPE = /^([a-zA-Z-]*)(?::\/\/\.?|:)([-a-zA-Z0-9@:%._+~#=]{1,256})([/?][^]*)?$/;

/**
 * Splits an address; spec services §2.2.
 *
 * @param {string} url such as `hyperty://domain/rest`, `sip:name@domain` or `name@domain`
 * @returns {{type: string, domain: string, identity: string}} `identity` is the rest with its
 *   slash, or `scheme://name@domain` where the domain names somebody; an address that cannot be
 *   split is all `domain`
 */
function divideURL(url) {
  if (!url) throw new Error("URL is needed to split");
  let parts = SHAPE.exec(url);
  if (parts === null && url.includes("@")) parts = SHAPE.exec(`smtp://${url}`);
  if (parts === null) return { type: "", domain: url, identity: "" };
  const [, type, domain, identity = ""] = parts;
  const at = domain.indexOf("@");
  if (at < 0) return { type, domain, identity };
  return { type, domain: domain.slice(at + 1), identity: `${type}://${domain}` };
}

/**
 * Makes the identity of a message's body for somebody who has none of our identities.
 *
 * @param {string} username
 * @param {string} [userURL]
 * @param {string} [picture]
 * @param {string} [name]
 * @param {string} [locale]
 * @param {string} idp domain of the identity provider
 * @param {string} [assertion]
 * @param {object} [profile] further members of the profile; they win over the others
 * @returns {{idp: string, assertion?: string, userProfile: object}} without the members that
 *   were left empty
 * @throws {Error} without `idp` or `username`
 */
function createMessageBodyIdentity(username, userURL, picture, name, locale, idp, assertion, profile) {
  if (!idp) throw new Error("IDP should be a parameter");
  if (!username) throw new Error("username should be a parameter");
  const userProfile = {};
  const given = { preferred_username: username, picture, name, locale, userURL };
  for (const key of Object.keys(given)) if (given[key]) userProfile[key] = given[key];
  Object.assign(userProfile, profile);
  return assertion ? { idp, assertion, userProfile } : { idp, userProfile };
}

// As `divideURL`, for components: it tells its author what could not be split.
function divided(url) {
  const parts = divideURL(url);
  if (parts.type === "") console.warn(`divideURL: \`${url}\` has no scheme, all of it counts as the domain`);
  return parts;
}

export default function (host) {
  host.services = {};
  // For files that need the service of another one.
  host.service = (name) => {
    host.need(SERVICES[name]);
    return host.services[name];
  };
  host.divideURL = divideURL;
  // What a service cannot do without, by name.
  host.needed = (given) => {
    for (const name of Object.keys(given)) if (!given[name]) throw new Error(`The ${name} is a needed parameter`);
  };

  // Components may share one; each has its own only because `_bus` is its own.
  host.newFactory = (bus) => {
    const factory = {
      divideURL: divided,
      createMessageBodyIdentity,
      get logger() {
        host.need("logger");
        return host.logger;
      },
      _divideURL: divided,
      _bus: bus,
      [host.shown]: () => ({}),
    };
    for (const name of Object.keys(SERVICES)) {
      factory[name] = (...args) => host.service(name)(...args);
    }
    host.private.add(factory);
    return Object.freeze(factory);
  };
}
