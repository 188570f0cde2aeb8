// XMLHttpRequest as browsers have it, except that it never stops the script.

const [UNSENT, OPENED, HEADERS_RECEIVED, LOADING, DONE] = [0, 1, 2, 3, 4];
const TYPES = new Set(["", "text", "json", "arraybuffer", "blob", "document"]);
const BYTES_MAX = 16 * 1024 * 1024;
const NOT_NOW = "a synchronous request would stop every component of its provider: ask without waiting";
const TOO_LONG = `the answer has more than ${BYTES_MAX} bytes: read it by \`fetch\`, piece by piece`;

export default function (host) {
  const { EventTarget, Event, ProgressEvent } = host.need("events");
  host.need("body");
  host.need("exchange");
  const { Headers } = host.need("headers");
  const { AbortController } = host.need("abort");

  class XMLHttpRequestEventTarget extends EventTarget {}
  const PROGRESS = ["loadstart", "progress", "abort", "error", "load", "timeout", "loadend"];
  host.attributes(XMLHttpRequestEventTarget, PROGRESS);

  class XMLHttpRequestUpload extends XMLHttpRequestEventTarget {}

  class XMLHttpRequest extends XMLHttpRequestEventTarget {
    #state = UNSENT;
    #request;
    #sent = false;
    // Counts requests, so that one that was given up knows that it is over.
    #turn = 0;
    #headers;
    #type = "";
    #mime;
    #head;
    #pieces = [];
    #length = 0;
    #abort;
    // What the bytes became, once somebody has asked.
    #response;

    upload = new XMLHttpRequestUpload();
    timeout = 0;
    withCredentials = false;

    get readyState() { return this.#state; }
    get status() { return this.#head?.status ?? 0; }
    get statusText() { return this.#head?.statusText ?? ""; }
    get responseURL() { return this.#head?.url ?? ""; }
    get responseXML() { return null; }

    get response() {
      if (this.#isText()) return this.responseText;
      if (this.#state !== DONE || this.#head === undefined) return null;
      this.#response ??= { value: this.#made() };
      return this.#response.value;
    }

    get responseText() {
      if (!this.#isText()) throw new DOMException("the response is not text", "InvalidStateError");
      if (this.#state < LOADING || this.#head === undefined) return "";
      return host.utf8(this.#bytes(), false).replace(/^\ufeff/, "");
    }

    get responseType() { return this.#type; }
    set responseType(type) {
      if (this.#state >= LOADING) throw new DOMException("the response comes already", "InvalidStateError");
      if (TYPES.has(String(type))) this.#type = String(type);
    }

    open(method, url, isAsync = true) {
      const address = host.need("url").URL.parse(String(url), location.href);
      if (address === null) throw new DOMException(`\`${url}\` is not a URL`, "SyntaxError");
      if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(String(method))) {
        throw new DOMException(`\`${method}\` is not a method`, "SyntaxError");
      }
      this.#giveUp();
      this.#request = { method: normal(String(method)), url: address.href, isAsync: Boolean(isAsync) };
      this.#headers = new Headers();
      this.#move(OPENED);
    }

    setRequestHeader(name, value) {
      this.#mustBeOpen();
      this.#headers.append(name, value);
    }

    overrideMimeType(type) {
      this.#mime = String(type);
    }

    getAllResponseHeaders() {
      const all = this.#head === undefined ? [] : [...this.#head.headers];
      return all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    }

    getResponseHeader(name) {
      return this.#head?.headers.get(name) ?? null;
    }

    send(body = null) {
      this.#mustBeOpen();
      const { url, method, isAsync } = this.#request;
      const owner = host.whose();
      if (!isAsync) {
        this.#state = DONE;
        const { reason } = host.networkFailed(owner, "XMLHttpRequest", url, NOT_NOW, true, new Error().stack);
        throw new DOMException(reason, "NetworkError");
      }
      const hasBody = method !== "GET" && method !== "HEAD";
      const { bytes, type } = host.bodyOf(hasBody ? body : null);
      if (type !== "" && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
      this.#sent = true;
      const turn = this.#turn;
      this.#say(this, "loadstart");
      if (bytes !== null && turn === this.#turn) this.#say(this.upload, "loadstart");
      if (turn !== this.#turn) return;
      if (this.timeout > 0) host.task(owner, () => turn === this.#turn && this.#fail("timeout"), this.timeout);
      this.#exchange(turn, owner, bytes);
    }

    abort() {
      const wasSent = this.#sent && this.#state !== DONE;
      if (wasSent) this.#fail("abort");
      else this.#giveUp();
      if (this.#state === DONE) this.#state = UNSENT;
    }

    async #exchange(turn, owner, bytes) {
      const abort = new AbortController();
      this.#abort = abort;
      const { url, method } = this.#request;
      const asked = { url: url.replace(/#.*$/, ""), method, headers: this.#headers, redirect: "follow" };
      try {
        const { source, ...head } = await host.exchange(owner, "XMLHttpRequest", asked, bytes, abort.signal);
        if (turn !== this.#turn) return;
        this.#begin(head, bytes);
        for (let piece = await source.read(); piece !== undefined; piece = await source.read()) {
          if (turn !== this.#turn) return;
          this.#take(piece);
        }
        if (turn === this.#turn) this.#finish();
      } catch (error) {
        if (turn !== this.#turn) return;
        // Not from within the turn that failed it, as in browsers.
        host.task(owner, () => turn === this.#turn && this.#fail("error"));
      }
    }

    #begin(head, bytes) {
      if (bytes !== null) for (const type of ["progress", "load", "loadend"]) this.#say(this.upload, type);
      this.#head = head;
      this.#move(HEADERS_RECEIVED);
    }

    #take(piece) {
      this.#pieces.push(piece);
      this.#length += piece.length;
      if (this.#length > BYTES_MAX) throw new TypeError(TOO_LONG);
      this.#move(LOADING);
      this.#say(this, "progress");
    }

    #finish() {
      this.#sent = false;
      const turn = this.#turn;
      // The time for it is over, and so is that of the timer.
      this.#turn += 1;
      this.#move(DONE);
      for (const type of ["load", "loadend"]) if (turn + 1 === this.#turn) this.#say(this, type);
    }

    #isText() { return this.#type === "" || this.#type === "text"; }

    #bytes() {
      if (this.#pieces.length > 1) {
        const all = new Uint8Array(this.#length);
        this.#pieces.reduce((at, piece) => (all.set(piece, at), at + piece.length), 0);
        this.#pieces = [all];
      }
      return this.#pieces[0] ?? new Uint8Array(0);
    }

    #made() {
      const bytes = this.#bytes();
      if (this.#type === "arraybuffer") return bytes.slice().buffer;
      if (this.#type === "document") return null;
      if (this.#type === "blob") {
        return new (host.need("blob").Blob)([bytes], { type: this.#mime ?? this.getResponseHeader("content-type") ?? "" });
      }
      try {
        return JSON.parse(host.utf8(bytes, false).replace(/^\ufeff/, ""));
      } catch {
        return null;
      }
    }

    #mustBeOpen() {
      if (this.#state === OPENED && !this.#sent) return;
      throw new DOMException("call open() first", "InvalidStateError");
    }

    // Forgets what is under way, and what came of it.
    #giveUp() {
      this.#turn += 1;
      this.#sent = false;
      this.#abort?.abort();
      this.#abort = undefined;
      this.#head = undefined;
      this.#pieces = [];
      this.#length = 0;
      this.#response = undefined;
    }

    #fail(how) {
      this.#giveUp();
      const turn = this.#turn;
      this.#move(DONE);
      for (const [target, type] of [[this.upload, how], [this.upload, "loadend"], [this, how], [this, "loadend"]]) {
        // A handler may have begun another request.
        if (turn === this.#turn) this.#say(target, type);
      }
    }

    #move(state) {
      if (this.#state === state && state !== LOADING) return;
      this.#state = state;
      this.dispatchEvent(new Event("readystatechange"));
    }

    #say(target, type) {
      const total = Number(this.#head?.headers.get("content-length") ?? 0);
      target.dispatchEvent(new ProgressEvent(type, { lengthComputable: total > 0, loaded: this.#length, total }));
    }
  }

  host.attributes(XMLHttpRequest, ["readystatechange"]);
  host.constants(XMLHttpRequest, { UNSENT, OPENED, HEADERS_RECEIVED, LOADING, DONE });
  host.global("XMLHttpRequest", XMLHttpRequest);
}

function normal(method) {
  const upper = method.toUpperCase();
  return ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"].includes(upper) ? upper : method;
}
