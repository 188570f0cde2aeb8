System.register([], function (export_) {
  return { execute: function () {

    // Follows everybody who shares a place, and knows the whole way.
    class Follower {
      _start(url, bus, configuration, factory) {
        const syncher = factory.createSyncher(url, bus, configuration);
        syncher.onNotification(async (event) => {
          event.ack(200);
          if (event.type === "delete") return this.arrived();
          const { schema, url: resource } = event;
          this.observer = await syncher.subscribe({ schema, resource, store: false, mutual: false });
          this.observer.onChange("path.*", () => this.shows());
        });
      }

      shows() {
        const { path } = this.observer.data;
        const { latitude, longitude } = path[path.length - 1];
        this.steps = path.length;
        console.log(`sees ${path.length} places, the last at ${latitude} ${longitude}`);
      }

      arrived() {
        console.log(`saw a way of ${this.steps} places; nobody shares a place any more`);
      }
    }

    export_({ default: Follower });
  } };
});
