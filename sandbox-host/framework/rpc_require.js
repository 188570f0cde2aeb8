// `factory.requireHyperty(url)`: a hyperty's instance, wherever it runs (spec services §7.1).
//
// In the same sandbox it is the instance itself, else a proxy. Nothing is deployed:
// a component never brings in further code.

const LONGEST_MS = 10 * 60 * 1000;
const CATALOGUE = /^(?:hyperty-catalogue|https?):\/\/(?:catalogue\.)?([^/]+)\/.*\/hyperty\/([^/]+?)(?:\.hy)?(?:\.js|\.json)?$/;

export default function (host) {
  const { failed, ask, remoteHyperty } = host.rpc;

  host.services.requireHyperty = (url, options) => {
    // Before anything is awaited: afterwards it may be another component's turn.
    const owner = host.component(host.whose());
    const wanted = Number(options?.timeout);
    const timeout = wanted > 0 ? Math.min(wanted, LONGEST_MS) : host.rpc.TIME_OUT_MS;
    if (owner === undefined) return Promise.reject(failed(500, "no component is asking"));
    return find(owner, String(url)).then(({ address, here }) => {
      if (here !== undefined) return decorated(here, address);
      return described(owner, address, timeout);
    });
  };

  async function find(owner, url) {
    const published = CATALOGUE.exec(url);
    if (published === null) return { address: url, here: host.component(url) };
    const [, domain, name] = published;
    const entries = await registered(owner);
    const isIt = (entry) =>
      entry.kind === "hyperty" && entry.provider === domain && entry.name === name;
    const entry = entries.find((one) => isIt(one) && one.status === "live");
    if (entry === undefined) {
      throw failed(404, `\`${name}\` of ${domain} is not running; its user deploys it`);
    }
    return { address: entry.address, here: host.component(entry.address) };
  }

  function registered(owner) {
    const to = `${owner.config?.runtimeURL}/registry`;
    return new Promise((resolve, reject) => {
      const read = { type: "read", from: owner.url, to, body: {} };
      host.newBus(owner.url).postMessage(read, ({ body }) => {
        if (body.code < 200) return;
        if (body.code >= 300) reject(failed(body.code, String(body.desc ?? "the registry is silent")));
        else resolve(body.value?.entries ?? []);
      });
    });
  }

  async function described(owner, address, timeout) {
    const link = { owner: owner.url, peer: address, timeout };
    const api = await ask(link, undefined, { describe: true });
    const methods = (api?.methods ?? []).map(({ name }) => name);
    return remoteHyperty(owner.url, address, { name: String(api?.name ?? ""), methods }, timeout);
  }

  // Both generations of applications find what they look for (spec services §7.1b).
  function decorated(component, address) {
    const instance = host.rpc.instanceOf(component);
    if (instance === undefined) throw failed(404, `\`${address}\` has no API: it is not a hyperty`);
    const more = { instance, runtimeHypertyURL: address, status: "live", name: component.name };
    for (const [name, value] of Object.entries(more)) {
      // Classes of the second generation have getters for some of them.
      if (name in instance || !Object.isExtensible(instance)) continue;
      Object.defineProperty(instance, name, { value, writable: true, configurable: true });
    }
    return instance;
  }

  const rethink = {
    requireHyperty: host.services.requireHyperty,
    release: host.rpc.release,
    install: () => Promise.resolve(rethink),
  };
  host.global("rethink", Object.freeze(rethink));
}
