// What comes to the component's own address for its Syncher (spec services §1.1,
// §2.3): requests to subscribe, invitations, the end of objects, `close`.

/**
 * @typedef {object} NotificationEvent
 * @property {'create'|'delete'} type an invitation, or the end of an object
 * @property {string} url the data object
 * @property {string} [from] who invites
 * @property {string} [domain] the object's
 * @property {string} [schema]
 * @property {object} [value] its metadata
 * @property {boolean} [p2p]
 * @property {object} [identity]
 * @property {string} [desc] why it has ended, where the runtime ended it
 * @property {(code?: number) => void} ack
 */

/**
 * @typedef {object} CloseEvent
 * @property {'close'} type
 * @property {(code?: number) => void} ack
 */

const SUBSCRIPTION = "/subscription";
const CHILDREN = "/children/";

export default function (host) {
  // A component may have several Synchers, which all hear its address; each
  // message is answered once.
  const answered = new WeakSet();

  function isFirst(message) {
    if (answered.has(message)) return false;
    answered.add(message);
    return true;
  }

  function call(syncher, callback, event) {
    host.enter(syncher._owner);
    try {
      callback(event);
    } catch (error) {
      host.report(syncher._owner, error);
    }
  }

  function respond(syncher, { id, from }, body) {
    syncher._bus.postMessage({ id, type: "response", from: syncher._owner, to: from, body });
  }

  function acknowledge(syncher, message, more) {
    return (code = 200) => {
      if (isFirst(message)) respond(syncher, message, { code, ...more });
    };
  }

  /** Somebody wants to subscribe to what this component reports, or does no more. */
  function forwarded(syncher, message) {
    const url = message.body?.to ?? message.from;
    if (Object.hasOwn(syncher._reporters, url)) syncher._reporters[url]._heardForward(message);
  }

  function invited(syncher, message) {
    const { type, from, body = {} } = message;
    if (!from.endsWith(SUBSCRIPTION) || !syncher._onNotification) return;
    const url = from.slice(0, -SUBSCRIPTION.length);
    const { source, schema, value, identity, p2p } = body;
    const { domain } = host.divideURL(url);
    const event = { type, from: source, url, domain, schema, value, identity, p2p, ack: acknowledge(syncher, message) };
    call(syncher, syncher._onNotification, event);
  }

  const unsubscribed = new WeakSet();

  function ended(syncher, message) {
    const { type, body = {} } = message;
    const { resource: url, identity, code, desc } = body;
    if (typeof url !== "string") return;
    if (!unsubscribed.has(message)) {
      unsubscribed.add(message);
      const leave = { type: "unsubscribe", from: syncher._owner, to: syncher._subURL, body: { resource: url } };
      syncher._bus.postMessage(leave, () => {});
    }
    if (Object.hasOwn(syncher._observers, url)) syncher._observers[url]._gone("deleted");
    const ack = acknowledge(syncher, message, { source: syncher._owner });
    if (syncher._onNotification) call(syncher, syncher._onNotification, { type, url, identity, code, desc, ack });
    else ack();
  }

  const closing = new WeakSet();

  function executed(syncher, message) {
    const isRegistry = [`${syncher._runtimeUrl}/registry`, `${syncher._runtimeUrl}/registry/`].includes(message.from);
    const ack = acknowledge(syncher, message);
    if (isRegistry && message.body?.method === "close" && syncher._onClose) {
      closing.add(message);
      return call(syncher, syncher._onClose, { type: "close", ack });
    }
    // A component that listens to its address answers itself.
    if (host.isHeard(syncher._owner)) return;
    Promise.resolve().then(() => closing.has(message) || ack());
  }

  // To what this component did to a child: requests of the Syncher have listeners.
  function refused(syncher, { from, body = {} }) {
    if (!(body.code >= 300) || !from.endsWith(CHILDREN)) return;
    const url = from.slice(0, -CHILDREN.length);
    for (const objects of [syncher._reporters, syncher._observers]) {
      if (Object.hasOwn(objects, url)) objects[url]._childRefused(body);
    }
  }

  const handled = { response: refused, forward: forwarded, create: invited, delete: ended, execute: executed };

  host.data.hearOwner = (syncher) => {
    host.data.hear(syncher._bus, syncher._owner, (message) => {
      if (message.from === syncher._owner) return;
      if (Object.hasOwn(handled, message.type)) handled[message.type](syncher, message);
    });
  };
}
