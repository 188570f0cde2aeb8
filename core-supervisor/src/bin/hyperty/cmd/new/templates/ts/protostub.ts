import type { Body, Bus, Component, Configuration, Factory, Message } from "@hyperty-runtime/framework";

/**
 * Speaks for every address of {{provider}} that lives nowhere in this runtime.
 * The far end is played here: it sends back what it is sent.
 */
export default class {{class}} implements Component {
  _start(_url: string, bus: Bus, _configuration: Configuration, _factory: Factory): void {
    bus.addListener("*", async (message: Message) => {
      if (message.type === "response") return;
      const body = await carry(message);
      bus.postMessage({ id: message.id, type: "response", from: message.to, to: message.from, body });
    });
    console.log("carries messages for {{provider}}");
  }
}

/** A real stub writes the message to its connection and waits for the answer. */
async function carry(message: Message): Promise<Body> {
  return { code: 200, value: message.body };
}
