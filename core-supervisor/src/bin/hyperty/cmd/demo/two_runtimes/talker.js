System.register([], function (export_) {
  return { execute: function () {

    // One end of a conversation: says what it is told to say, and answers what it hears.
    class Talker {
      _start(url, bus, configuration) {
        const say = (to, text, answers) => bus.postMessage({ type: "update", from: url, to,
          body: { text, answers, name: configuration.person } });
        bus.addListener(url, (message) => {
          const { body, from, id } = message;
          if (message.type === "execute") {
            console.log(`says: ${body.text}`);
            say(body.to, body.text, false);
            bus.postMessage({ id, type: "response", from: url, to: from, body: { code: 200 } });
          } else if (message.type === "update") {
            console.log(`hears ${body.name}: ${body.text}`);
            if (!body.answers) say(from, `I heard "${body.text}"`, true);
          }
        });
      }
      get name() { return "Talker"; }
    }

    export_({ default: Talker });
  } };
});
