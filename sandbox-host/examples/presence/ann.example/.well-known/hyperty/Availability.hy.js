System.register([], function (export_) {
  return { execute: function () {

    const SCHEMA = "hyperty-catalogue://catalogue.ann.example/.well-known/dataschema/Context";

    // Reports one object; each change of its data reaches every observer by itself.
    class Availability {
      async _start(url, bus, configuration, factory) {
        const syncher = factory.createSyncher(url, bus, configuration);
        const data = { values: [{ name: "availability", value: "available" }] };
        const input = { resources: ["availability_context"], mutual: false, domain_registration: false };
        const reporter = await syncher.create(
          SCHEMA, configuration.observers, data, true, false, "availability", {}, input,
        );
        reporter.onSubscription((event) => {
          if (event.type !== "subscribe") return;
          console.log(`lets ${event.url} observe`);
          event.accept();
          this.change(reporter, [...configuration.day], configuration.every_ms);
        });
      }

      change(reporter, states, pause) {
        const timer = setInterval(() => {
          const state = states.shift();
          if (state === undefined) {
            clearInterval(timer);
            reporter.delete();
            return;
          }
          console.log(`is ${state} now`);
          reporter.data.values[0].value = state;
        }, pause);
      }
    }

    export_({ default: Availability });
  } };
});
