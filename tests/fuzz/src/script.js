System.register([], function (exporter) { return { execute: function () {
  exporter({ default: class {
    _start(url, bus, config, factory) {
      bus.addListener(url, (m) => bus.postMessage(
        { id: m.id, type: 'response', from: url, to: m.from, body: { code: 200, value: m.body } }));
      const syncher = factory.createSyncher(url, bus, config);
      const schema = 'hyperty-catalogue://here.example/.well-known/dataschema/Any';
      syncher.onNotification((event) => {
        if (event.ack) event.ack(200);
        syncher.subscribe(schema, event.url, true, false).then((observer) => {
          observer.onChange('*', () => JSON.stringify(observer.data));
        }).catch(() => {});
      });
      syncher.create(schema, [], { list: [1], text: 'a' }, true, false, 'it').then((reporter) => {
        reporter.onSubscription((event) => event.accept());
        reporter.onRead((event) => event.accept());
        reporter.onExecute((event) => event.accept('done'));
        reporter.data.list.push(2);
      }).catch(() => {});
    }

    echo(...values) { return values; }

    async later(call) { return call(1); }
  } });
} }; });
