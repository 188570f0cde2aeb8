System.register([], function (export_) {
  return { execute: function () {

    // Joins whatever it is invited to, and says one thing after the other.
    class Guest {
      _start(url, bus, configuration, factory) {
        const syncher = factory.createSyncher(url, bus, configuration);
        const manager = factory.createSimpleChatManager(url, bus, configuration, syncher);
        syncher.onNotification((event) => manager.processNotification(event));
        manager.onInvitation((event) => {
          event.ack(200);
          this.join(manager, event.url, [...configuration.says]);
        });
      }

      async join(manager, url, lines) {
        const chat = await manager.join(url);
        console.log("joined the conversation");
        const says = (text) => {
          if (text === undefined) return;
          console.log(`says: ${text}`);
          chat.send(text);
        };
        chat.onMessage((message) => {
          console.log(`hears: ${message.value?.content ?? message.value}`);
          says(lines.shift());
        });
        chat.onClose(() => console.log("was told that it is over"));
        says(lines.shift());
      }
    }

    export_({ default: Guest });
  } };
});
