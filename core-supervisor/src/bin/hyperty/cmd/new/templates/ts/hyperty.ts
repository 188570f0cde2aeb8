import type { Bus, Component, Configuration, Factory, Message } from "@hyperty-runtime/framework";

/** Greets whoever asks. One instance runs at one address, which is `url`. */
export default class {{class}} implements Component {
  _start(url: string, bus: Bus, _configuration: Configuration, _factory: Factory): void {
    bus.addListener(url, (message: Message) => {
      if (message.type !== "read") return;
      console.log(`asked by ${message.from}`);
      bus.postMessage({
        id: message.id, type: "response", from: url, to: message.from,
        body: { code: 200, value: greeting(message) },
      });
    });
  }
}

function greeting(message: Message): string {
  return `hello ${message.body.value}`;
}
