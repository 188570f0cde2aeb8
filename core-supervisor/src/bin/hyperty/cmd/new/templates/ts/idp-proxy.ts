import type { Body, Bus, Component, Configuration, Factory, Message } from "@hyperty-runtime/framework";

interface Params {
  contents?: string;
  usernameHint?: string;
  assertion?: string;
}

/**
 * Asserts who somebody is, and checks such assertions, for {{provider}}. An
 * assertion is base 64 of JSON here; a real proxy has it signed by its provider.
 */
export default class {{class}} implements Component {
  _start(url: string, bus: Bus, _configuration: Configuration, _factory: Factory): void {
    bus.addListener(url, (message: Message) => {
      if (message.type !== "execute") return;
      const body = answer(message.body.method, (message.body.params ?? {}) as Params);
      bus.postMessage({ id: message.id, type: "response", from: url, to: message.from, body });
    });
  }
}

function answer(method: string | undefined, params: Params): Body {
  if (method === "generateAssertion") return generate(params);
  if (method === "validateAssertion") return validate(params);
  return { code: 400, desc: `${method} is no method of an identity provider` };
}

function generate({ contents, usernameHint }: Params): Body {
  if (!usernameHint) return { code: 401, desc: "somebody must sign in first" };
  const identity = `${usernameHint}@{{provider}}`;
  const assertion = btoa(JSON.stringify({ identity, contents }));
  return { code: 200, value: { assertion, idp: { domain: "{{provider}}", protocol: "{{name}}" } } };
}

function validate({ assertion = "" }: Params): Body {
  try {
    const { identity, contents } = JSON.parse(atob(assertion));
    return { code: 200, value: { identity, contents } };
  } catch {
    return { code: 401, desc: "the assertion is not one of ours" };
  }
}
