// URL and URLSearchParams.

export default function (host) {
  host.load("url_parts");
  const { escaped, unescaped, escape } = host.urlText;
  const { PORTS, parse, cut, setQuery, setAuthority, setPort, segments, serialized, authority } =
    host.urlParts;

  // ---- URLSearchParams --------------------------------------------------

  const formEscape = (text) => {
    let out = "";
    for (const character of String(text)) {
      if (character === " ") out += "+";
      else out += /[A-Za-z0-9*\-._]/.test(character) ? character : escaped(character);
    }
    return out;
  };
  const formUnescape = (text) => unescaped(text.replace(/\+/g, " "));
  const pairsOf = (text) => text.split("&").filter((part) => part !== "").map((part) => {
    const [name, value = ""] = cut(part, "=");
    return [formUnescape(name), formUnescape(value)];
  });

  class URLSearchParams {
    #pairs = [];
    #changed = () => {};

    constructor(init = "", changed) {
      if (typeof changed === "function") this.#changed = changed;
      if (init === null || typeof init !== "object") this.#pairs = pairsOf(String(init).replace(/^\?/, ""));
      else if (typeof init[Symbol.iterator] === "function") this.#pairs = Array.from(init, pair);
      else this.#pairs = Object.entries(init).map(pair);
    }

    get size() {
      return this.#pairs.length;
    }

    append(name, value) {
      this.#pairs.push([String(name), String(value)]);
      this.#changed(this);
    }

    delete(name, value) {
      const isOther = ([n, v]) => n !== String(name) || (value !== undefined && v !== String(value));
      this.#pairs = this.#pairs.filter(isOther);
      this.#changed(this);
    }

    get(name) {
      return this.#pairs.find(([n]) => n === String(name))?.[1] ?? null;
    }

    getAll(name) {
      return this.#pairs.filter(([n]) => n === String(name)).map(([, value]) => value);
    }

    has(name, value) {
      const isIt = ([n, v]) => n === String(name) && (value === undefined || v === String(value));
      return this.#pairs.some(isIt);
    }

    set(name, value) {
      const at = this.#pairs.findIndex(([n]) => n === String(name));
      if (at < 0) this.#pairs.push([String(name), String(value)]);
      else {
        this.#pairs[at] = [String(name), String(value)];
        this.#pairs = this.#pairs.filter(([n], index) => index <= at || n !== String(name));
      }
      this.#changed(this);
    }

    sort() {
      this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#changed(this);
    }

    forEach(callback, self) {
      for (const [name, value] of this) callback.call(self, value, name, this);
    }

    *entries() {
      for (const [name, value] of this.#pairs) yield [name, value];
    }

    *keys() {
      for (const [name] of this.#pairs) yield name;
    }

    *values() {
      for (const [, value] of this.#pairs) yield value;
    }

    [Symbol.iterator]() {
      return this.entries();
    }

    toString() {
      return this.#pairs.map(([name, value]) => `${formEscape(name)}=${formEscape(value)}`).join("&");
    }
  }

  function pair(entry) {
    const list = Array.from(entry);
    if (list.length !== 2) throw new TypeError("a search parameter is a name and a value");
    return [String(list[0]), String(list[1])];
  }

  // ---- URL --------------------------------------------------------------

  class URL {
    #url;
    #params;

    constructor(input, base) {
      const above = base === undefined ? undefined : parse(String(base), undefined);
      const isLost = base !== undefined && above === undefined;
      this.#url = isLost ? undefined : parse(String(input), above);
      if (this.#url === undefined) throw new TypeError(`\`${input}\` is not a URL`);
    }

    static createObjectURL(blob) {
      host.need("blob");
      return host.objectURL(blob);
    }

    static revokeObjectURL(url) {
      host.need("blob");
      host.revokeURL(url);
    }

    static canParse(input, base) {
      return URL.parse(input, base) !== null;
    }

    static parse(input, base) {
      try {
        return new URL(input, base);
      } catch {
        return null;
      }
    }

    get href() { return serialized(this.#url); }
    set href(value) { this.#url = new URL(value).#url; this.#params = undefined; }
    get protocol() { return this.#url.protocol; }
    set protocol(value) {
      const next = `${String(value).split(":")[0].toLowerCase()}:`;
      if (next in PORTS === this.#url.protocol in PORTS && /^[a-z][a-z0-9+.-]*:$/.test(next)) {
        this.#url.protocol = next;
        setPort(this.#url, this.#url.port);
      }
    }
    get username() { return this.#url.username; }
    set username(value) { if (this.#url.host !== "") this.#url.username = escape(String(value), "user"); }
    get password() { return this.#url.password; }
    set password(value) { if (this.#url.host !== "") this.#url.password = escape(String(value), "user"); }
    get host() { return authority(this.#url); }
    set host(value) { this.#rehost(String(value)); }
    get hostname() { return this.#url.host; }
    set hostname(value) {
      const port = this.#url.port === "" ? "" : `:${this.#url.port}`;
      if (!/:\d*$/.test(String(value))) this.#rehost(`${value}${port}`);
    }
    get port() { return this.#url.port; }
    set port(value) { if (/^\d*$/.test(String(value))) setPort(this.#url, String(value)); }
    get pathname() { return this.#url.path; }
    set pathname(value) {
      const path = String(value);
      if (this.#url.opaque) return;
      const rooted = /^[/\\]/.test(path) ? path : `/${path}`;
      this.#url.path = segments(rooted, this.#url.protocol in PORTS);
    }
    get search() { return this.#url.search; }
    set search(value) {
      this.#url.search = "";
      setQuery(this.#url, String(value).replace(/^\?/, ""));
      this.#params = undefined;
    }
    get hash() { return this.#url.hash; }
    set hash(value) {
      const hash = escape(String(value).replace(/^#/, ""), "fragment");
      this.#url.hash = hash === "" ? "" : `#${hash}`;
    }
    get origin() {
      const { protocol } = this.#url;
      return protocol in PORTS && protocol !== "file:" ? `${protocol}//${authority(this.#url)}` : "null";
    }
    get searchParams() {
      this.#params ??= new URLSearchParams(this.#url.search, (params) => {
        const text = params.toString();
        this.#url.search = text === "" ? "" : `?${text}`;
      });
      return this.#params;
    }

    #rehost(text) {
      if (this.#url.opaque || this.#url.hostless) return;
      const special = this.#url.protocol in PORTS;
      const next = { ...this.#url, port: "" };
      const { username, password } = this.#url;
      if (text.includes("@") || !setAuthority(next, text.split(/[/?#]/)[0], special)) return;
      this.#url = { ...next, username, password };
    }

    toString() { return this.href; }
    toJSON() { return this.href; }
  }

  host.global("URLSearchParams", URLSearchParams);
  host.global("URL", URL);
}
