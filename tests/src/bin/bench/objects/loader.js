// How long our framework takes to load, all of it, out of its bytecode.

const begin = performance.now();
const syncher = factory.createSyncher(url, bus, config);
const discovery = factory.createDiscovery(url, config.runtimeURL, bus);
const identities = factory.createIdentityManager(url, config.runtimeURL, bus);
factory.createSearch(discovery, identities);
factory.createContextObserver(url, bus, config, []);
factory.createContextReporter(url, bus, config);
factory.createNotificationHandler(bus);
factory.createChatManager(url, bus, config, syncher);
factory.createSimpleChatManager(url, bus, config, syncher);
factory.createRegistrationStatus(url, config.runtimeURL, url, bus);
const milliseconds = performance.now() - begin;

bus.addListener(url, (m) => {
  if (m.type !== "read") return;
  bus.postMessage({ id: m.id, type: "response", from: url, to: m.from, body: { code: 200, value: { milliseconds } } });
});
