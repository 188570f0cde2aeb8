System.register([], function (export_) {
  return { execute: function () {

    // Speaks for every address of its domain: what comes for one of them is told
    // to the tester, and what the tester wants said is said in their names.
    class Peer {
      _start(url, bus, { tester }) {
        const tell = (body) => bus.postMessage({ type: "event", from: url, to: tester, body });
        bus.addListener("*", ({ id, type, from, to, body }) => tell({ peer: { id, type, from, to, body } }));
        bus.addListener(url, ({ body }) => {
          if (body.post !== undefined) bus.postMessage(body.post);
          else if (body.echo !== undefined) tell({ echo: body.echo });
        });
      }
    }

    export_({ default: Peer });
  } };
});
