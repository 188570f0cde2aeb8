// Components: three published forms, one way in.
//
//   System.register([], …)     a class: `new default()`, then `_start`
//   UMD or CommonJS `activate`  a function, or an object with `default`
//   UMD class                   `activate` is a class as in the first form

export default function (host) {
  const components = new Map();
  let registered;

  host.global("System", {
    register(...args) {
      const [dependencies, declare] = typeof args[0] === "string" ? args.slice(1) : args;
      registered = { dependencies, declare };
    },
  });

  // Called after a `System.register` text was evaluated (`run` is undefined),
  // or with the function around any other text.
  host.construct = (url, name, kind, run) => {
    const entry = run === undefined ? exported() : umd(run);
    if (typeof entry !== "function") {
      throw new TypeError(
        "the module exports no component: neither a class with `_start` nor a function `activate`",
      );
    }
    const component = { url, name, kind, bus: host.newBus(url) };
    if (typeof entry.prototype?._start === "function") {
      component.instance = new entry();
      // Some classes have only a getter; they keep their own name.
      if (kind === "hyperty") Reflect.set(component.instance, "name", name);
    } else if (run === undefined) {
      throw new TypeError("the class that the module exports has no `_start`");
    } else component.activate = entry;
    components.set(url, component);
  };

  host.start = (url, configuration) => {
    const component = components.get(url);
    const { bus, instance, activate } = component;
    const config = parsed(configuration);
    component.config = config;
    // As the core said it, before the component changes it.
    host.runtime ??= config.runtimeURL;
    const factory = host.newFactory(bus);
    if (instance !== undefined) instance._start(url, bus, config, factory);
    else component.result = activate(url, bus, config, factory);
  };

  host.component = (url) => components.get(url);

  // The listeners of a message to `<component>/api`, its API.
  host.served = (message) => {
    const { to } = message;
    if (typeof to !== "string" || !to.endsWith("/api")) return undefined;
    const component = components.get(to.slice(0, -"/api".length));
    if (component === undefined) return undefined;
    host.need("rpc");
    return host.serve(component, message);
  };

  // For services that are not handed the configuration. The component may have
  // changed it since, on purpose.
  host.configurationOf = (url) => components.get(url)?.config ?? {};

  host.unload = (url) => {
    registered = undefined;
    // A start that was interrupted may have been in the middle of a delivery.
    host.abandon();
    components.delete(url);
    host.forget(url);
    host.stopTimersOf(url);
    for (const end of host.ends) end(url);
  };

  // A descriptor may hold its configuration as JSON text.
  function parsed(text) {
    let config = JSON.parse(text === "" ? "{}" : text);
    if (typeof config === "string") config = JSON.parse(config);
    if (config === null || typeof config !== "object") {
      throw new TypeError("the configuration is not an object");
    }
    return config;
  }

  function exported() {
    if (registered === undefined) {
      throw new TypeError("the module registered nothing with `System.register`");
    }
    const { dependencies, declare } = registered;
    registered = undefined;
    if (dependencies?.length > 0) {
      throw new TypeError(
        `the module imports \`${dependencies[0]}\`; a component carries all its code`,
      );
    }
    const namespace = {};
    const export_ = (names, value) => {
      if (typeof names === "string") namespace[names] = value;
      else for (const name of Object.keys(names)) define(namespace, name, names);
      if (names?.default !== undefined) define(namespace, "default", names);
      return value;
    };
    declare(export_, { meta: {} }).execute?.();
    return namespace.default;
  }

  function define(namespace, name, from) {
    const property = { get: () => from[name], enumerable: true, configurable: true };
    Object.defineProperty(namespace, name, property);
  }

  // Preference of the published loaders: module.exports, define, exports, global.
  function umd(run) {
    const module = { exports: {} };
    const original = module.exports;
    const amd = { module, exports: original };
    const before = globalThis.activate;
    const local = run.call(globalThis, module, original, amdDefine(amd));
    if (registered !== undefined) return exported();
    const shared = globalThis.activate === before ? undefined : globalThis.activate;
    if (shared !== undefined) globalThis.activate = before;
    const candidates = [module.exports, amd.value, original.activate, local, shared];
    for (const candidate of candidates) {
      const entry = unwrapped(candidate);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  function amdDefine(amd) {
    const define = (...args) => {
      const made = args.at(-1);
      const wanted = args.find(Array.isArray) ?? [];
      amd.value = typeof made === "function" ? made(...wanted.map((name) => amd[name])) : made;
    };
    define.amd = {};
    return define;
  }

  function unwrapped(candidate) {
    if (typeof candidate === "function") return candidate;
    if (candidate === null || typeof candidate !== "object") return undefined;
    return unwrapped(candidate.activate) ?? unwrapped(candidate.default);
  }
}
