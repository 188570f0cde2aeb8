// The ground the other files stand on: whose code runs, and how a global is made.
//
// `host` is seen by the framework only. Components get what is put on `globalThis`.

export default function (host) {
  // Whose code runs, and how many timers led to it. After an `await` it is
  // whoever ran last, so the host prefers the file named in a stack.
  host.owner = "";
  host.nesting = 0;
  host.enter = (owner, nesting = 0) => {
    host.owner = owner;
    host.nesting = nesting;
  };

  // What the runtime gave to components, for them alone (see `rpc_references`).
  host.private = new WeakSet();

  host.global = (name, value) => {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  };

  // Bytes go to the host as a text of as many characters.
  host.utf8 = (bytes, fatal) => {
    let latin = "";
    for (let at = 0; at < bytes.length; at += 8192) {
      latin += String.fromCharCode.apply(null, bytes.subarray(at, at + 8192));
    }
    return host.decode(latin, fatal);
  };

  // Most components never touch these: their file is loaded when one does.
  host.lazy = (file, names) => {
    for (const name of names) {
      Object.defineProperty(globalThis, name, {
        get: () => {
          host.load(file);
          return globalThis[name];
        },
        set: (value) => host.global(name, value),
        configurable: true,
        enumerable: false,
      });
    }
  };

  host.lazy("url", ["URL", "URLSearchParams"]);
  host.lazy("encoding", ["TextEncoder", "TextDecoder"]);
  host.lazy("clone", ["structuredClone"]);
  host.lazy("events", ["Event", "CustomEvent", "EventTarget"]);
  host.lazy("rpc", ["rethink"]);
}
