// XMLHttpRequest as browsers have it, up to the point where the network would begin.

const DONE = 4;

export default function (host) {
  const { EventTarget, Event, ProgressEvent } = host.need("events");
  host.need("network");

  class XMLHttpRequestEventTarget extends EventTarget {}
  const PROGRESS = ["loadstart", "progress", "abort", "error", "load", "timeout", "loadend"];
  host.attributes(XMLHttpRequestEventTarget, PROGRESS);

  class XMLHttpRequestUpload extends XMLHttpRequestEventTarget {}

  class XMLHttpRequest extends XMLHttpRequestEventTarget {
    #state = 0;
    #request;
    #sent = false;
    // Counts requests, so that an aborted one knows that it is over.
    #turn = 0;
    #headers;
    #type = "";

    upload = new XMLHttpRequestUpload();
    timeout = 0;
    withCredentials = false;

    get readyState() { return this.#state; }
    get status() { return 0; }
    get statusText() { return ""; }
    get responseURL() { return ""; }
    get responseXML() { return null; }
    get response() { return this.#type === "" || this.#type === "text" ? "" : null; }

    get responseText() {
      if (this.#type === "" || this.#type === "text") return "";
      throw new DOMException("the response is not text", "InvalidStateError");
    }

    get responseType() { return this.#type; }
    set responseType(type) {
      this.#type = String(type);
    }

    open(method, url, isAsync = true) {
      const address = host.need("url").URL.parse(String(url), location.href);
      if (address === null) throw new DOMException(`\`${url}\` is not a URL`, "SyntaxError");
      this.#turn += 1;
      this.#sent = false;
      this.#request = { method: String(method), url: address.href, isAsync: Boolean(isAsync) };
      this.#headers = new (host.need("headers").Headers)();
      this.#move(1);
    }

    setRequestHeader(name, value) {
      this.#mustBeOpen();
      this.#headers.append(name, value);
    }

    overrideMimeType() {}
    getAllResponseHeaders() { return ""; }
    getResponseHeader() { return null; }

    send() {
      this.#mustBeOpen();
      const { url, isAsync } = this.#request;
      const owner = host.whose();
      const { reason } = host.refuseNetwork(owner, "XMLHttpRequest", url);
      if (!isAsync) {
        this.#state = DONE;
        throw new DOMException(reason, "NetworkError");
      }
      this.#sent = true;
      this.#say(this, "loadstart");
      const turn = this.#turn;
      host.task(owner, () => turn === this.#turn && this.#fail("error"));
    }

    abort() {
      this.#turn += 1;
      if (this.#sent && this.#state !== DONE) this.#fail("abort");
      if (this.#state === DONE) this.#state = 0;
    }

    #mustBeOpen() {
      if (this.#state === 1 && !this.#sent) return;
      throw new DOMException("call open() first", "InvalidStateError");
    }

    #fail(how) {
      this.#sent = false;
      const turn = this.#turn;
      this.#move(DONE);
      for (const [target, type] of [[this.upload, how], [this.upload, "loadend"], [this, how], [this, "loadend"]]) {
        // A handler may have begun another request.
        if (turn === this.#turn) this.#say(target, type);
      }
    }

    #move(state) {
      this.#state = state;
      this.dispatchEvent(new Event("readystatechange"));
    }

    #say(target, type) {
      target.dispatchEvent(new ProgressEvent(type));
    }
  }

  host.attributes(XMLHttpRequest, ["readystatechange"]);
  host.constants(XMLHttpRequest, { UNSENT: 0, OPENED: 1, HEADERS_RECEIVED: 2, LOADING: 3, DONE });
  host.global("XMLHttpRequest", XMLHttpRequest);
}
