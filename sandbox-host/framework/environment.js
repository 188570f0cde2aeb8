// Where a component believes it is: a browser window with an empty page.
//
// Published bundles probe these names when they are evaluated and fail without
// them.

const ORIGIN = /^https?:\/\/[^/?#@\s]+$/;

export default function (host) {
  host.global("window", globalThis);
  host.global("self", globalThis);

  const navigator = {
    userAgent: "HypertyRuntime/1.0",
    appName: "Hyperty Runtime",
    appVersion: "1.0",
    platform: "Linux",
    product: "Hyperty Runtime",
    language: "en",
    languages: Object.freeze(["en"]),
    onLine: true,
    hardwareConcurrency: 1,
    cookieEnabled: false,
  };
  for (const name of ["mediaDevices", "geolocation", "getUserMedia"]) {
    Object.defineProperty(navigator, name, {
      get: () => {
        host.need("media");
        return host.media[name];
      },
      // The published adapter puts its own in the place.
      set: (value) => Object.defineProperty(navigator, name, { value, writable: true }),
      configurable: true,
      enumerable: true,
    });
  }
  host.global("navigator", navigator);

  const place = {};
  // The origin of an identity provider's proxy is where its login returns to:
  // what its configuration says, and else the provider's own domain.
  host.locate = (domain, kind = "", configuration = "{}") => {
    const given = kind === "idp-proxy" ? configured(configuration) : undefined;
    const real = given ?? (domain === "" ? "null" : `https://${domain}`);
    const [, protocol = "https:", authority = ""] = /^(https?:)\/\/(.*)$/.exec(real) ?? [];
    const [, hostname, port = ""] = /^(.*?)(?::(\d+))?$/.exec(authority);
    const href = real === "null" ? "about:blank" : `${real}/`;
    Object.assign(place, {
      origin: real, protocol, host: authority, hostname, port, pathname: "/", search: "", hash: "", href,
    });
  };
  host.locate("");

  // There is no page that could go elsewhere.
  const stay = (to) => {
    // Without what comes behind the path: tokens travel there.
    const where = String(to).split(/[?#]/)[0].slice(0, 200).toWellFormed();
    host.log(host.owner, "warn", `there is no page that could go to \`${where}\`: the component stays`, new Error().stack);
  };
  const location = {};
  for (const name of Object.keys(place)) {
    Object.defineProperty(location, name, { get: () => place[name], set: stay, enumerable: true });
  }
  for (const name of ["assign", "replace", "reload"]) {
    Object.defineProperty(location, name, { value: stay });
  }
  Object.defineProperty(location, "toString", { value: () => place.href });
  Object.defineProperty(globalThis, "location", { get: () => location, set: stay, configurable: true });
}

// What is wrong with a configuration is said when the component starts.
function configured(text) {
  try {
    const { origin } = JSON.parse(text);
    return ORIGIN.test(origin) ? origin : undefined;
  } catch {
    return undefined;
  }
}
