System.register([], function (export_) {
  return { execute: function () {

    // Greets whoever asks. One instance runs at one address, which is `url`.
    class {{class}} {
      _start(url, bus, configuration, factory) {
        bus.addListener(url, (message) => {
          if (message.type !== "read") return;
          console.log(`asked by ${message.from}`);
          const value = `hello ${message.body.value}`;
          bus.postMessage({
            id: message.id, type: "response", from: url, to: message.from,
            body: { code: 200, value },
          });
        });
      }
    }

    export_({ default: {{class}} });
  } };
});
