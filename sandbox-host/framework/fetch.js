// Request, Response and fetch: `https:` and `http:` as far as they were granted, `data:` and `blob:`.
//
// There is no other origin here than the component itself, so nothing is hidden from it
// (no CORS), and nobody is signed in anywhere (no cookies).

const NORMAL = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);
const FORBIDDEN = new Set(["CONNECT", "TRACE", "TRACK"]);
const BODILESS = new Set([101, 103, 204, 205, 304]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export default function (host) {
  host.need("body");
  host.need("exchange");
  const { Body } = host;
  const { Headers } = host.need("headers");
  const { URL } = host.need("url");
  const { AbortController } = host.need("abort");

  function withType(headers, type) {
    if (type !== "" && !headers.has("content-type")) headers.set("content-type", type);
    return headers;
  }

  class Request extends Body {
    constructor(input, init = {}) {
      const from = input instanceof Request ? input : undefined;
      const method = methodOf(init.method ?? from?.method ?? "GET");
      const given = init.body ?? null;
      if (given !== null && (method === "GET" || method === "HEAD")) {
        throw new TypeError(`a ${method} request has no body`);
      }
      const { bytes, type } = given === null && from !== undefined
        ? { bytes: Body.contentOf(from), type: "" }
        : host.bodyOf(given);
      if (bytes !== null && host.bytesOf(bytes) === undefined) {
        throw new TypeError("a request is not sent piece by piece: give all its bytes");
      }
      const url = from?.url ?? new URL(String(input), location.href).href;
      super(bytes);
      const headers = withType(new Headers(init.headers ?? from?.headers), type);
      const signal = init.signal ?? from?.signal ?? new AbortController().signal;
      const rest = {};
      for (const [name, value] of Object.entries(DEFAULTS)) rest[name] = init[name] ?? from?.[name] ?? value;
      fixed(this, { url, method, headers, signal, ...rest });
    }

    clone() {
      return new Request(this);
    }
  }

  class Response extends Body {
    constructor(body = null, { status = 200, statusText = "", headers } = {}) {
      if (!(status >= 200 && status <= 599)) throw new RangeError(`${status} is not a status of a response`);
      if (body !== null && BODILESS.has(status)) throw new TypeError(`a response of status ${status} has no body`);
      const { bytes, type } = host.bodyOf(body);
      super(bytes);
      const all = withType(new Headers(headers), type);
      described(this, { status, statusText: String(statusText), headers: all, type: "default", url: "" });
    }

    clone() {
      const { status, statusText, headers, type, url } = this;
      const { redirected } = this;
      return made(Body.shared(this), { status, statusText, headers: new Headers(headers), type, url, redirected });
    }

    static error() {
      return made(null, { status: 0, statusText: "", headers: new Headers(), type: "error", url: "" });
    }

    static redirect(url, status = 302) {
      if (!REDIRECTS.has(status)) throw new RangeError(`${status} is not a redirection`);
      return new Response(null, { status, headers: { location: new URL(String(url), location.href).href } });
    }

    static json(data, init = {}) {
      const response = new Response(JSON.stringify(data), init);
      if (!new Headers(init.headers).has("content-type")) response.headers.set("content-type", "application/json");
      return response;
    }
  }

  // A response with a status that its constructor does not take.
  function made(bytes, members) {
    const response = Reflect.construct(Body, [bytes], Response);
    return described(response, members);
  }

  function described(response, members) {
    const { status } = members;
    return fixed(response, { redirected: false, ...members, ok: status >= 200 && status < 300 });
  }

  async function fetch(input, init) {
    const owner = host.whose();
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const { protocol } = new URL(request.url);
    if (protocol === "data:") return dataResponse(request.url);
    if (protocol === "blob:") return blobResponse(request.url);
    const { url, method, headers, redirect, signal } = request;
    const asked = { url: url.replace(/#.*$/, ""), method, headers, redirect };
    const { source, ...head } = await host.exchange(owner, "fetch", asked, Body.contentOf(request), signal);
    const hasBody = method !== "HEAD" && !BODILESS.has(head.status);
    if (!hasBody) source.cancel();
    return made(hasBody ? source : null, { ...head, type: "basic" });
  }

  function blobResponse(url) {
    host.need("blob");
    const blob = host.blobAt(url);
    if (blob === undefined) throw new TypeError(`nothing is at \`${url}\` (any more)`);
    return located(new Response(blob, { headers: { "content-length": String(blob.size) } }), url);
  }

  function dataResponse(url) {
    const [, type, base64, text] = /^data:([^,]*?)(;\s*base64)?,([^]*)$/i.exec(url.replace(/#.*$/, "")) ?? [];
    if (text === undefined) throw new TypeError("the data: URL has no comma");
    const bytes = unescaped(text);
    const body = base64 === undefined ? bytes : host.fromBase64(host.utf8(bytes, false));
    const headers = { "content-type": type || "text/plain;charset=US-ASCII" };
    return located(new Response(body, { headers }), url);
  }

  function located(response, url) {
    return fixed(response, { url, type: "basic" });
  }

  // Percent escapes as bytes.
  function unescaped(text) {
    const raw = new Uint8Array(host.encode(text.toWellFormed()));
    const out = new Uint8Array(raw.length);
    let length = 0;
    for (let at = 0; at < raw.length; at += 1) {
      const hex = raw[at] === 0x25 ? String.fromCharCode(raw[at + 1], raw[at + 2]) : "";
      if (/^[0-9a-f]{2}$/i.test(hex)) {
        out[length++] = Number.parseInt(hex, 16);
        at += 2;
      } else out[length++] = raw[at];
    }
    return out.subarray(0, length);
  }

  host.global("Request", Request);
  host.global("Response", Response);
  host.global("fetch", fetch);
}

const DEFAULTS = {
  mode: "cors", credentials: "same-origin", cache: "default", redirect: "follow",
  referrer: "about:client", referrerPolicy: "", integrity: "", keepalive: false,
};

function methodOf(name) {
  const method = String(name);
  const upper = method.toUpperCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method) || FORBIDDEN.has(upper)) {
    throw new TypeError(`\`${method}\` is not a method that may be used`);
  }
  return NORMAL.has(upper) ? upper : method;
}

function fixed(object, members) {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true });
  }
  return object;
}
