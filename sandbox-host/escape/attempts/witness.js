// The component that is attacked over the bus: it keeps what it hears from anybody but the
// person at the command line, and tells that person.
System.register([], function (_export) {
  return {
    execute: function () {
      function Witness() {}
      Witness.prototype._start = function (url, bus) {
        var heard = [];
        bus.addListener("*", function (message) {
          if (message.type === "read" && message.body && message.body.what === "heard") {
            bus.postMessage({
              id: message.id, type: "response", from: url, to: message.from,
              body: { code: 200, value: heard.splice(0) }
            });
          } else if (!(message.body && message.body.secret)) {
            heard.push(message.type + " from " + message.from);
          }
        });
      };
      _export({ __esModule: true, default: Witness });
    }
  };
});
