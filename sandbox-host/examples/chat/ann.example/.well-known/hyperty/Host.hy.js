System.register([], function (export_) {
  return { execute: function () {

    // Opens a conversation, answers what it can, and ends it when the other says goodbye.
    class Host {
      async _start(url, bus, configuration, factory) {
        const syncher = factory.createSyncher(url, bus, configuration);
        const manager = factory.createSimpleChatManager(url, bus, configuration, syncher);
        syncher.onNotification((event) => manager.processNotification(event));
        const extra = { mutual: false, domain_registration: false };
        const chat = await manager.create("tea", [configuration.invites], extra);
        console.log("opened a conversation");
        chat.onUserAdded(() => console.log("somebody has joined"));
        chat.onMessage((message) => this.answer(chat, textOf(message)));
      }

      says(chat, text) {
        console.log(`says: ${text}`);
        return chat.send(text);
      }

      async answer(chat, text) {
        console.log(`hears: ${text}`);
        if (text.startsWith("goodbye")) {
          await chat.close();
          console.log("the conversation is over");
        } else this.says(chat, `you said "${text}". Tea?`);
      }
    }

    const textOf = ({ value }) => String(value?.content ?? value);

    export_({ default: Host });
  } };
});
