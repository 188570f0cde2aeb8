// Where a component believes it is: a browser window without a page.
//
// Published bundles probe these names when they are evaluated and fail without
// them. There is no `document`: code that finds one expects all of a page.

export default function (host) {
  host.global("window", globalThis);
  host.global("self", globalThis);
  host.global("navigator", Object.freeze({
    userAgent: "HypertyRuntime/1.0",
    appName: "Hyperty Runtime",
    platform: "Linux",
    language: "en",
    languages: Object.freeze(["en"]),
    onLine: true,
    hardwareConcurrency: 1,
    cookieEnabled: false,
  }));

  const location = {};
  // The origin of an identity provider's proxy is where its login returns to;
  // until a deployment says otherwise it is the provider's own domain.
  host.locate = (domain) => {
    const origin = domain === "" ? "null" : `https://${domain}`;
    Object.assign(location, {
      origin,
      protocol: "https:",
      host: domain,
      hostname: domain,
      port: "",
      pathname: "/",
      search: "",
      hash: "",
      href: domain === "" ? "about:blank" : `${origin}/`,
    });
  };
  location.toString = () => location.href;
  Object.defineProperty(location, "toString", { enumerable: false });
  host.locate("");
  host.global("location", location);
}
