// Observes one data object and says what it saw.

const syncher = factory.createSyncher(url, bus, config);

bus.addListener(url, (m) => {
  if (m.type !== "read") return;
  const { resource, reporter } = m.body;
  const answer = (body) => bus.postMessage({ id: m.id, type: "response", from: url, to: m.from, body });
  syncher.subscribe({ schema: config.schema, resource, store: false, p2p: false, mutual: true }).then((observer) => {
    observer.onChange("n", (event) => {
      bus.postMessage({ type: "event", from: url, to: reporter, body: { seen: event.data } });
    });
    answer({ code: 200, value: observer.data });
  }, (error) => answer({ code: 500, desc: String(error?.message ?? error) }));
});
