// WebSocket as browsers have it. EventSource tries, fails as for a host that cannot be
// reached, and says why.

const SCHEMES = { "ws:": "ws:", "wss:": "wss:", "http:": "ws:", "https:": "wss:" };
const REASON_BYTES_MAX = 123;
const OVERFLOW = "more waits to be sent than a connection may have; wait while `bufferedAmount` is high";
const NO_EVENTS = "it is not available in this runtime; read the stream of events by `fetch`";
const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

export default function (host) {
  const { EventTarget, Event, CloseEvent, MessageEvent } = host.need("events");
  const { URL } = host.need("url");
  host.need("network");
  const { net } = host;

  class WebSocket extends EventTarget {
    #state = CONNECTING;
    #url;
    #owner;
    #id;
    #protocol = "";
    #origin;
    // Bytes that were given after the end of sending; they never leave.
    #lost = 0;
    #stack = new Error().stack;
    #binaryType = "blob";

    constructor(url, protocols = []) {
      super();
      const address = URL.parse(String(url), location.href);
      const scheme = SCHEMES[address?.protocol];
      if (scheme === undefined) throw new DOMException(`\`${url}\` is not a WebSocket's URL`, "SyntaxError");
      if (address.hash !== "") throw new DOMException("a WebSocket's URL has no fragment", "SyntaxError");
      const wanted = (Array.isArray(protocols) ? protocols : [protocols]).map(String);
      if (new Set(wanted).size < wanted.length || wanted.some((name) => !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))) {
        throw new DOMException("the protocols are not names that differ", "SyntaxError");
      }
      address.protocol = scheme;
      this.#url = address.href;
      this.#origin = address.origin;
      this.#owner = host.whose();
      const hear = (word, value, text, flag) => this.#hear(word, value, text, flag);
      this.#id = host.attend(this.#owner, net.open(this.#owner, this.#url, wanted), hear);
    }

    get readyState() { return this.#state; }
    get url() { return this.#url; }
    get bufferedAmount() { return this.#lost + (this.#id === undefined ? 0 : net.waiting(this.#id)); }
    get extensions() { return ""; }
    get protocol() { return this.#protocol; }

    get binaryType() { return this.#binaryType; }
    set binaryType(type) {
      if (type === "blob" || type === "arraybuffer") this.#binaryType = type;
    }

    send(data) {
      if (this.#state === CONNECTING) throw new DOMException("it is not open yet", "InvalidStateError");
      const bytes = bytesOf(data);
      const text = bytes === undefined ? String(data).toWellFormed() : undefined;
      if (this.#state !== OPEN) {
        this.#lost += bytes?.length ?? host.encode(text).byteLength;
        return;
      }
      const isQueued = bytes === undefined
        ? net.sendText(this.#id, text)
        : net.sendBytes(this.#id, host.toBase64(bytes));
      if (isQueued) return;
      // The script has let it come so far: the connection cannot be kept as it should.
      this.#lost += bytes?.length ?? host.encode(text).byteLength;
      this.#giveUp(OVERFLOW);
    }

    close(code, reason = "") {
      if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
        throw new DOMException(`${code} is not a code to close with`, "InvalidAccessError");
      }
      const text = String(reason).toWellFormed();
      if (host.encode(text).byteLength > REASON_BYTES_MAX) {
        throw new DOMException(`the reason has more than ${REASON_BYTES_MAX} bytes`, "SyntaxError");
      }
      if (this.#state === CONNECTING) this.#giveUp("it was closed before it was open");
      if (this.#state !== OPEN) return;
      this.#state = CLOSING;
      net.close(this.#id, code ?? 0, text);
    }

    #hear(word, value, text, flag) {
      switch (word) {
        case "opened":
          this.#state = OPEN;
          this.#protocol = text;
          return void this.dispatchEvent(new Event("open"));
        case "text":
          return this.#message(value);
        case "bytes":
          return this.#message(this.#binaryType === "arraybuffer" ? value : new (host.need("blob").Blob)([value]));
        case "closed":
          return this.#end(value, text, flag);
        default: {
          const { reason, wait } = host.networkFailed(this.#owner, "WebSocket", this.#url, text, flag, this.#stack);
          host.task(this.#owner, () => this.#fail(reason), wait);
        }
      }
    }

    #message(data) {
      if (this.#state === OPEN) this.dispatchEvent(new MessageEvent("message", { data, origin: this.#origin }));
    }

    // From our side, without a close.
    #giveUp(reason) {
      this.#state = CLOSING;
      host.abandonConnection(this.#id);
      host.task(this.#owner, () => this.#fail(reason));
    }

    #fail(reason) {
      if (this.#state === CLOSED) return;
      this.#state = CLOSED;
      this.dispatchEvent(new Event("error"));
      // Browsers leave the reason out, so that pages learn nothing about hosts.
      this.dispatchEvent(new CloseEvent("close", { code: 1006, reason, wasClean: false }));
    }

    #end(code, reason, wasClean) {
      this.#state = CLOSED;
      this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean }));
    }
  }

  function bytesOf(data) {
    const raw = host.bytesOf(data);
    if (raw !== undefined || typeof data !== "object" || data === null) return raw;
    return host.need("blob") && host.blobBytes(data);
  }

  class EventSource extends EventTarget {
    #state = 0;
    #url;
    #withCredentials;

    constructor(url, options) {
      super();
      const address = URL.parse(String(url), location.href);
      if (address === null) throw new DOMException(`\`${url}\` is not a URL`, "SyntaxError");
      this.#url = address.href;
      this.#withCredentials = Boolean(options?.withCredentials);
      const owner = host.whose();
      const { wait } = host.networkFailed(owner, "EventSource", this.#url, NO_EVENTS, true, new Error().stack);
      host.task(owner, () => this.#fail(), wait);
    }

    get readyState() { return this.#state; }
    get url() { return this.#url; }
    get withCredentials() { return this.#withCredentials; }

    close() {
      this.#state = 2;
    }

    #fail() {
      if (this.#state === 2) return;
      this.#state = 2;
      this.dispatchEvent(new Event("error"));
    }
  }

  host.attributes(WebSocket, ["open", "error", "close", "message"]);
  host.constants(WebSocket, { CONNECTING, OPEN, CLOSING, CLOSED });
  host.attributes(EventSource, ["open", "error", "message"]);
  host.constants(EventSource, { CONNECTING: 0, OPEN: 1, CLOSED: 2 });
  host.global("WebSocket", WebSocket);
  host.global("EventSource", EventSource);
}
