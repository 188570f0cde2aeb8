System.register([], function (export_) {
  return { execute: function () {

    // Speaks for every address of {{provider}} that lives nowhere in this runtime.
    // The far end is played here: it sends back what it is sent.
    class {{class}} {
      _start(url, bus, configuration, factory) {
        bus.addListener("*", (message) => {
          if (message.type === "response") return;
          this.carry(message).then((body) => bus.postMessage({
            id: message.id, type: "response", from: message.to, to: message.from, body,
          }));
        });
        console.log("carries messages for {{provider}}");
      }

      // A real stub writes the message to its connection and waits for the answer.
      async carry(message) {
        return { code: 200, value: message.body };
      }
    }

    export_({ default: {{class}} });
  } };
});
