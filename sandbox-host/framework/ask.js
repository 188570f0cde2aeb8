// A request and its final answer, for services that do nothing in between.

export default function (host) {
  /**
   * Posts a request; the promise is of the body of its final answer, whatever its code.
   *
   * It is rejected only where the message itself is refused. Nobody's silence
   * leaves it open: the bus answers 408 then.
   */
  host.ask = (bus, message) =>
    new Promise((resolve) => {
      bus.postMessage(message, (reply) => {
        const body = reply.body ?? {};
        if (!(body.code < 200)) resolve(body);
      });
    });

  // Errors come with one of two names, depending on who answers.
  host.reason = (body) => `${body.code} ${body.desc ?? body.description ?? "no reason given"}`;
}
