// What components get as `factory`: the service framework.
//
// A member that is not there yet says so when it is called. Nothing pretends.

const ABSENT = [
  "createSyncher", "createIdentityManager", "createDiscovery", "createSearch",
  "createContextObserver", "createContextReporter", "createNotificationHandler",
  "createChatManager", "createChatController", "createSimpleChatManager",
  "createChat", "createRegistrationStatus",
];

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
  const factory = { divideURL, createMessageBodyIdentity };
  for (const name of ABSENT) {
    factory[name] = () => {
      throw new Error(`factory.${name}: this service is not part of this runtime yet`);
    };
  }
  host.factory = Object.freeze(factory);
}
