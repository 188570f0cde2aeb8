// `document`: enough of one for libraries that ask what kind of page this is.
//
// It is a loaded, empty page whose elements do nothing. What would fetch
// something when it is put into a page (a script, a picture, a frame) fails as
// for a host that cannot be reached, so that libraries take their next way.

const FETCHING = new Set(["SCRIPT", "IMG", "IFRAME", "LINK", "AUDIO", "VIDEO"]);

const NO_PAGE = "there is no page, and its elements load nothing; use `fetch`";

export default function (host) {
  const { EventTarget, Event } = host.need("events");

  class Node extends EventTarget {
    childNodes = [];
    parentNode = null;

    get firstChild() { return this.childNodes[0] ?? null; }
    get lastChild() { return this.childNodes.at(-1) ?? null; }
    get children() { return this.childNodes; }

    appendChild(child) {
      return this.insertBefore(child, null);
    }

    insertBefore(child, next) {
      child.parentNode?.removeChild(child);
      const at = this.childNodes.indexOf(next);
      this.childNodes.splice(at < 0 ? this.childNodes.length : at, 0, child);
      child.parentNode = this;
      fetched(child);
      return child;
    }

    removeChild(child) {
      this.childNodes = this.childNodes.filter((other) => other !== child);
      child.parentNode = null;
      return child;
    }

    remove() {
      this.parentNode?.removeChild(this);
    }

    contains(other) {
      for (let node = other; node; node = node.parentNode) if (node === this) return true;
      return false;
    }
  }

  class Element extends Node {
    #attributes = new Map();

    style = {};
    dataset = {};
    textContent = "";
    innerHTML = "";
    className = "";

    constructor(tag) {
      super();
      this.tagName = String(tag).toUpperCase();
      this.nodeName = this.tagName;
      this.nodeType = 1;
    }

    get ownerDocument() { return document; }

    setAttribute(name, value) {
      this.#attributes.set(String(name), String(value));
      if (name === "href" || name === "src" || name === "id") this[name] = String(value);
    }

    getAttribute(name) { return this.#attributes.get(String(name)) ?? null; }
    hasAttribute(name) { return this.#attributes.has(String(name)); }
    removeAttribute(name) { this.#attributes.delete(String(name)); }
    getElementsByTagName() { return []; }
    querySelector() { return null; }
    querySelectorAll() { return []; }
    getContext() { return null; }
    click() {}
    focus() {}
    submit() {}
  }
  host.attributes(Element, ["load", "error", "click"]);

  function fetched(element) {
    const url = element.src ?? (element.tagName === "LINK" ? element.href : undefined);
    if (!FETCHING.has(element.tagName) || !url) return;
    const owner = host.whose();
    host.need("network");
    host.networkFailed(owner, `<${element.tagName.toLowerCase()}>`, url, NO_PAGE, true, new Error().stack);
    host.task(owner, () => element.dispatchEvent(new Event("error")));
  }

  // Libraries let a link take a URL apart.
  class Anchor extends Element {
    #url = null;

    get href() { return this.#url?.href ?? ""; }
    set href(url) {
      this.#url = host.need("url").URL.parse(String(url), location.href);
    }
  }
  for (const part of ["protocol", "host", "hostname", "port", "pathname", "search", "hash", "origin"]) {
    Object.defineProperty(Anchor.prototype, part, {
      get() {
        return host.need("url").URL.parse(this.href)?.[part] ?? "";
      },
    });
  }

  const element = (tag) => (/^a$/i.test(tag) ? new Anchor(tag) : new Element(tag));
  const document = Object.assign(new Node(), {
    nodeType: 9,
    nodeName: "#document",
    readyState: "complete",
    visibilityState: "visible",
    hidden: false,
    cookie: "",
    title: "",
    referrer: "",
    compatMode: "CSS1Compat",
    createElement: element,
    createElementNS: (_, tag) => element(tag),
    createDocumentFragment: () => new Node(),
    createTextNode: (text) => Object.assign(new Node(), { nodeType: 3, data: String(text) }),
    getElementById: () => null,
    getElementsByTagName: (tag) => ({ head: [document.head], body: [document.body] })[String(tag).toLowerCase()] ?? [],
    getElementsByClassName: () => [],
    querySelector: () => null,
    querySelectorAll: () => [],
    hasFocus: () => false,
  });
  const windowed = (name, get) => Object.defineProperty(document, name, { get, enumerable: true });
  windowed("defaultView", () => globalThis);
  windowed("location", () => globalThis.location);
  windowed("domain", () => globalThis.location.hostname);
  windowed("URL", () => globalThis.location.href);
  windowed("baseURI", () => globalThis.location.href);

  host.global("document", document);
  document.documentElement = document.appendChild(element("html"));
  document.head = document.documentElement.appendChild(element("head"));
  document.body = document.documentElement.appendChild(element("body"));
}
