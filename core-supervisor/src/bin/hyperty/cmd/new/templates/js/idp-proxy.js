System.register([], function (export_) {
  return { execute: function () {

    // Asserts who somebody is, and checks such assertions, for {{provider}}.
    // An assertion is base 64 of JSON here; a real proxy has it signed by its provider.
    class {{class}} {
      _start(url, bus, configuration, factory) {
        bus.addListener(url, (message) => {
          if (message.type !== "execute") return;
          const { method, params = {} } = message.body;
          bus.postMessage({
            id: message.id, type: "response", from: url, to: message.from,
            body: this.answer(method, params),
          });
        });
      }

      answer(method, params) {
        if (method === "generateAssertion") return this.generate(params);
        if (method === "validateAssertion") return this.validate(params);
        return { code: 400, desc: `${method} is no method of an identity provider` };
      }

      generate({ contents, usernameHint }) {
        if (!usernameHint) return { code: 401, desc: "somebody must sign in first" };
        const identity = `${usernameHint}@{{provider}}`;
        const assertion = btoa(JSON.stringify({ identity, contents }));
        return { code: 200, value: { assertion, idp: { domain: "{{provider}}", protocol: "{{name}}" } } };
      }

      validate({ assertion }) {
        try {
          const { identity, contents } = JSON.parse(atob(assertion));
          return { code: 200, value: { identity, contents } };
        } catch {
          return { code: 401, desc: "the assertion is not one of ours" };
        }
      }
    }

    export_({ default: {{class}} });
  } };
});
