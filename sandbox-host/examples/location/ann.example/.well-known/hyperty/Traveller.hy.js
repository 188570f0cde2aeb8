System.register([], function (export_) {
  return { execute: function () {

    const SCHEMA = "hyperty-catalogue://catalogue.ann.example/.well-known/dataschema/Location";

    // Shares its place with those whom it lets, and stops when it has arrived. A
    // sandbox has no satellite receiver, so the way is in the configuration.
    class Traveller {
      async _start(url, bus, configuration, factory) {
        const syncher = factory.createSyncher(url, bus, configuration);
        const [start, ...way] = configuration.way;
        const data = { place: start, path: [start] };
        const input = { resources: ["location_context"], mutual: false, domain_registration: false };
        const reporter = await syncher.create(
          SCHEMA, configuration.friends, data, true, false, "location", {}, input,
        );
        reporter.onSubscription((event) => {
          if (event.type !== "subscribe") return;
          if (!configuration.friends.includes(event.url)) return event.reject("not a friend of mine");
          event.accept();
          this.travel(reporter, way, configuration.every_ms);
        });
      }

      travel(reporter, way, pause) {
        const timer = setInterval(() => {
          const place = way.shift();
          if (place === undefined) {
            clearInterval(timer);
            reporter.delete();
            return;
          }
          console.log(`is at ${place.latitude} ${place.longitude}`);
          reporter.data.place = place;
          reporter.data.path.push(place);
        }, pause);
      }
    }

    export_({ default: Traveller });
  } };
});
