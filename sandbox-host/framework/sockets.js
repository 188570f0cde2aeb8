// WebSocket and EventSource: they try, fail as for a host that cannot be
// reached, and say why.

const SCHEMES = { "ws:": "ws:", "wss:": "wss:", "http:": "ws:", "https:": "wss:" };

export default function (host) {
  const { EventTarget, Event, CloseEvent } = host.need("events");
  const { URL } = host.need("url");
  host.need("network");

  class WebSocket extends EventTarget {
    #state = 0;
    #url;

    binaryType = "blob";

    constructor(url, protocols = []) {
      super();
      const address = URL.parse(String(url), location.href);
      const scheme = SCHEMES[address?.protocol];
      if (scheme === undefined) throw new DOMException(`\`${url}\` is not a WebSocket's URL`, "SyntaxError");
      if (address.hash !== "") throw new DOMException("a WebSocket's URL has no fragment", "SyntaxError");
      const wanted = (Array.isArray(protocols) ? protocols : [protocols]).map(String);
      if (new Set(wanted).size < wanted.length || wanted.some((name) => !/^[\x21-\x7e]+$/.test(name))) {
        throw new DOMException("the protocols are not names that differ", "SyntaxError");
      }
      address.protocol = scheme;
      this.#url = address.href;
      const owner = host.whose();
      const { reason, wait } = host.refuseNetwork(owner, "WebSocket", this.#url);
      host.task(owner, () => this.#fail(reason), wait);
    }

    get readyState() { return this.#state; }
    get url() { return this.#url; }
    get bufferedAmount() { return 0; }
    get extensions() { return ""; }
    get protocol() { return ""; }

    send() {
      if (this.#state !== 0) return;
      throw new DOMException("it is not open yet", "InvalidStateError");
    }

    close(code) {
      if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
        throw new DOMException(`${code} is not a code to close with`, "InvalidAccessError");
      }
      if (this.#state === 0) this.#state = 2;
    }

    #fail(reason) {
      this.#state = 3;
      this.dispatchEvent(new Event("error"));
      // Browsers leave the reason out, so that pages learn nothing about hosts.
      this.dispatchEvent(new CloseEvent("close", { code: 1006, reason, wasClean: false }));
    }
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
      const { wait } = host.refuseNetwork(owner, "EventSource", this.#url);
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
  host.constants(WebSocket, { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 });
  host.attributes(EventSource, ["open", "error", "message"]);
  host.constants(EventSource, { CONNECTING: 0, OPEN: 1, CLOSED: 2 });
  host.global("WebSocket", WebSocket);
  host.global("EventSource", EventSource);
}
