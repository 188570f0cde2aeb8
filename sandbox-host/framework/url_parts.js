// From the text of a URL to its parts and back, after the WHATWG URL standard.
//
// Left out: international domain names (they must come in their `xn--` form).

const PORTS = { "http:": "80", "https:": "443", "ws:": "80", "wss:": "443", "ftp:": "21", "file:": "" };

const NOTHING = {
  protocol: "", username: "", password: "", host: "", port: "",
  path: "", opaque: false, hostless: false, search: "", hash: "",
};

export default function (host) {
  host.load("url_text");
  const { escape, specialHost, ipv6 } = host.urlText;

  function parse(input, base) {
    const text = input.replace(/^[\0-\x20]+|[\0-\x20]+$/g, "").replace(/[\t\n\r]/g, "");
    const [beforeHash, hash] = cut(text, "#");
    const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(beforeHash);
    const url = { ...NOTHING, hash: hash ? `#${escape(hash, "fragment")}` : "" };
    if (scheme === null) return relative(url, beforeHash, base, text);
    url.protocol = scheme[0].toLowerCase();
    const rest = beforeHash.slice(scheme[0].length);
    const special = url.protocol in PORTS;
    if (special && base?.protocol === url.protocol && !/^[/\\]/.test(rest)) {
      return relative(url, rest, base, text);
    }
    if (special) return absolute(url, rest.replace(/^[/\\]*/, ""), true);
    if (rest.startsWith("//")) return absolute(url, rest.slice(2), false);
    const [path, query] = cut(rest, "?");
    setQuery(url, query);
    url.opaque = !path.startsWith("/");
    url.path = url.opaque ? escape(path, "control") : segments(path, false);
    url.hostless = true;
    return url;
  }

  function cut(text, mark) {
    const at = text.indexOf(mark);
    return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
  }

  function setQuery(url, query) {
    if (query === undefined) return;
    const encoded = escape(query, url.protocol in PORTS ? "specialQuery" : "query");
    url.search = encoded === "" ? "" : `?${encoded}`;
  }

  function absolute(url, rest, special) {
    const [beforeQuery, query] = cut(rest, "?");
    setQuery(url, query);
    const end = beforeQuery.search(special ? /[/\\]/ : /\//);
    const authority = end < 0 ? beforeQuery : beforeQuery.slice(0, end);
    if (!setAuthority(url, authority, special)) return undefined;
    url.path = segments(end < 0 ? "" : beforeQuery.slice(end), special);
    return url;
  }

  function setAuthority(url, authority, special) {
    const at = authority.lastIndexOf("@");
    if (at >= 0) {
      const [username, password = ""] = cut(authority.slice(0, at), ":");
      url.username = escape(username, "user");
      url.password = escape(password, "user");
    }
    const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority.slice(at + 1));
    if (parts === null) return false;
    const name = special ? specialHost(parts[1]) : opaqueHost(parts[1]);
    const isFile = url.protocol === "file:";
    if (isFile && (parts[1] === "" || name === "localhost")) url.host = "";
    else if (name === undefined) return false;
    else url.host = name;
    return setPort(url, parts[2] ?? "") && !(url.host === "" && (at >= 0 || url.port !== ""));
  }

  function opaqueHost(text) {
    if (text.startsWith("[")) return ipv6(text);
    return /[\0\t\n\r #/:<>?@[\\\]^|]/.test(text) ? undefined : escape(text, "control");
  }

  function setPort(url, text) {
    if (Number(text) > 65535) return false;
    const port = text === "" ? "" : String(Number(text));
    url.port = port === PORTS[url.protocol] ? "" : port;
    return true;
  }

  function segments(path, special) {
    const parts = (special ? path.replace(/\\/g, "/") : path).split("/").slice(1);
    const kept = [];
    parts.forEach((part, index) => {
      const plain = part.replace(/%2e/gi, ".");
      const isLast = index === parts.length - 1;
      if (plain === "..") {
        kept.pop();
        if (isLast) kept.push("");
      } else if (plain === ".") {
        if (isLast) kept.push("");
      } else kept.push(escape(part, "path"));
    });
    if (kept.length === 0) return special || parts.length > 0 ? "/" : "";
    return `/${kept.join("/")}`;
  }

  function relative(url, rest, base, text) {
    if (base === undefined) return undefined;
    const { hash } = url;
    if (base.opaque) return rest === "" && text.startsWith("#") ? { ...base, hash } : undefined;
    const special = base.protocol in PORTS;
    const [steps, ...asked] = rest.split("?");
    const path = [special ? steps.replace(/\\/g, "/") : steps, ...asked].join("?");
    url.protocol = base.protocol;
    if (path.startsWith("//")) return absolute(url, path.slice(2), special);
    const [before, query] = cut(path, "?");
    const made = { ...base, search: "", hash };
    setQuery(made, query);
    if (before === "") {
      if (query === undefined) made.search = base.search;
      return made;
    }
    const directory = base.path.slice(0, base.path.lastIndexOf("/") + 1) || "/";
    made.path = segments(before.startsWith("/") ? before : directory + before, special);
    return made;
  }

  function serialized(url) {
    if (url.hostless) return `${url.protocol}${url.path.startsWith("//") ? "/." : ""}${url.path}${url.search}${url.hash}`;
    const password = url.password === "" ? "" : `:${url.password}`;
    const user = url.username === "" && password === "" ? "" : `${url.username}${password}@`;
    return `${url.protocol}//${user}${authority(url)}${url.path}${url.search}${url.hash}`;
  }

  const authority = (url) => (url.port === "" ? url.host : `${url.host}:${url.port}`);

  host.urlParts = { PORTS, parse, cut, setQuery, setAuthority, setPort, segments, serialized, authority };
}
