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

function createMessageBodyIdentity(username, userURL, picture, name, locale, idp, assertion, profile) {
  if (!idp) throw new Error("IDP should be a parameter");
  if (!username) throw new Error("username should be a parameter");
  const userProfile = { preferred_username: username, userURL, picture, name, locale, ...profile };
  return assertion ? { idp, assertion, userProfile } : { idp, userProfile };
}

export default function (host) {
  host.services = {};
  // For files that need the service of another one.
  host.service = (name) => {
    if (!Object.hasOwn(host.services, name)) host.load(SERVICES[name]);
    return host.services[name];
  };
  const factory = { divideURL, createMessageBodyIdentity };
  for (const name of Object.keys(SERVICES)) {
    factory[name] = (...args) => host.service(name)(...args);
  }
  host.divideURL = divideURL;
  host.factory = Object.freeze(factory);
  host.private.add(factory);
}
