System.register([], function (export_) {
  return { execute: function () {

    // Observes what it is invited to, and shows each change.
    class Watcher {
      _start(url, bus, configuration, factory) {
        const syncher = factory.createSyncher(url, bus, configuration);
        syncher.onNotification(async (event) => {
          event.ack(200);
          if (event.type === "delete") return console.log("nothing to watch any more");
          const { schema, url: resource } = event;
          const observer = await syncher.subscribe({ schema, resource, store: false, mutual: false });
          const shows = () => console.log(`sees: ${observer.data.values[0].value}`);
          shows();
          observer.onChange("*", shows);
        });
      }
    }

    export_({ default: Watcher });
  } };
});
