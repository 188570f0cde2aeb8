// NotificationHandler: invitations for the users of other networks, of which a
// stub hands in the raw messages (spec services §2.11).

const NEEDED = ["source", "schema", "value", "identity"];

export default function (host) {
  class NotificationHandler {
    /** @param {object} bus */
    constructor(bus) {
      host.needed({ bus });
      this._bus = bus;
      this._onNotificationHandler = new Map();
    }

    /**
     * @param {string} scheme of the data objects, such as `comm`
     * @param {(event: object) => void} callback replaces the one before. Creation: `{type, from,
     *   url, domain, schema, value, identity, to, via, ack(code=200), error(reason)}`; deletion:
     *   `{type, url, identity, ack(code=200)}`
     */
    onNotification(scheme, callback) {
      this._onNotificationHandler.set(scheme, callback);
    }

    /**
     * Takes an invitation in. One without `source`, `schema`, `value` or `identity` in its body is
     * answered 400.
     *
     * @param {object} msg
     */
    onCreate(msg) {
      const body = msg.body ?? {};
      const answer = this.#answers(msg);
      const error = (reason) => answer({ code: 400, desc: `Bad Request: ${reason}` });
      const missing = NEEDED.filter((name) => !Object.hasOwn(body, name));
      if (missing.length > 0) {
        error(`Missing ${missing.join(", ")}`);
        return;
      }
      const url = String(body.resource ?? msg.from.slice(0, -"/subscription".length));
      this.#raise(answer, {
        type: msg.type,
        from: body.source,
        url,
        domain: host.divideURL(url).domain,
        schema: body.schema,
        value: body.value,
        identity: body.identity,
        to: msg.to,
        via: body.via,
        ack: (code) => answer({ code: code || 200 }),
        error,
      });
    }

    /**
     * Takes in that a data object was deleted.
     *
     * @param {object} msg
     */
    onDelete(msg) {
      const { resource, identity } = msg.body ?? {};
      const answer = this.#answers(msg);
      if (!resource) {
        answer({ code: 400, desc: "Bad Request: Missing resource" });
        return;
      }
      const url = String(resource);
      const ack = (code) => answer({ code: code || 200, source: msg.to });
      this.#raise(answer, { type: msg.type, url, identity, ack });
    }

    #raise(answer, event) {
      const [scheme] = event.url.split("://");
      const callback = this._onNotificationHandler.get(scheme);
      if (callback === undefined) answer({ code: 404, desc: `nobody here takes \`${scheme}\` objects` });
      else callback(event);
    }

    // A request has one answer, however often it is acknowledged.
    #answers(msg) {
      let answered = false;
      return (body) => {
        if (answered) return;
        answered = true;
        this._bus.postMessage({ id: msg.id, type: "response", from: msg.to, to: msg.from, body });
      };
    }
  }

  /** @returns {NotificationHandler} */
  host.services.createNotificationHandler = (bus) => new NotificationHandler(bus);
}
