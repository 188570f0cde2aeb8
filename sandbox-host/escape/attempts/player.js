// A component that says what it is told to, and keeps what it hears. Only the person at the
// command line tells it anything: `{ "play": [message, …], "repeat": N }` is said,
// `{ "what": "heard" }` is answered with what was heard and what was answered since.
System.register([], function (_export) {
  return {
    execute: function () {
      function Player() {}
      Player.prototype._start = function (url, bus, config) {
        var heard = [], answers = [], own = config.own || [];
        function play(message) {
          var copy = JSON.parse(JSON.stringify(message));
          copy.from = copy.from || url;
          bus.postMessage(copy, function (answer) {
            answers.push({ code: answer.body && answer.body.code, body: answer.body, of: message.type });
          });
        }
        function hear(message) {
          var body = message.body || {};
          if (body.play) {
            for (var turn = 0; turn < (body.repeat || 1); turn++) body.play.forEach(play);
          } else if (body.listen) {
            bus.addListener(body.listen, hear);
          } else if (body.what === "heard") {
            bus.postMessage({
              id: message.id, type: "response", from: url, to: message.from,
              body: { code: 200, value: { heard: heard.splice(0), answers: answers.splice(0) } }
            });
          } else if (config.forward && (body.what === "go" || body.hops !== undefined)) {
            var hops = (body.hops || 0) + 1;
            config.forward = body.first || config.forward;
            heard.length = 0;
            heard.push({ hops: hops });
            bus.postMessage({ type: "update", from: url, to: config.forward, body: { hops: hops } });
          } else {
            // Its answer has room for some hundreds.
            if (heard.length < 500) heard.push({ type: message.type, from: message.from, to: message.to, body: body });
            if (message.type === "forward" && config.accepts !== undefined) {
              bus.postMessage({
                id: message.id, type: "response", from: message.to, to: message.from,
                body: { code: config.accepts ? 200 : 403 }
              });
            } else if (config.answers && message.type !== "response") {
              bus.postMessage({ id: message.id, type: "response", from: message.to, to: message.from, body: { code: 200 } });
            }
          }
        }
        bus.addListener(url, hear);
        own.forEach(function (address) { bus.addListener(address, hear); });
      };
      _export({ __esModule: true, default: Player });
    }
  };
});
