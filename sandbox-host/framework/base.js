// The ground the other files stand on: whose code runs, and how a global is made.
//
// `host` is seen by the framework only. Components get what is put on `globalThis`.

const LAZY = {
  url: ["URL", "URLSearchParams"],
  encoding: ["TextEncoder", "TextDecoder"],
  clone: ["structuredClone"],
  rpc: ["rethink"],
  events: ["Event", "CustomEvent", "EventTarget", "ErrorEvent", "MessageEvent", "CloseEvent", "ProgressEvent"],
  window_events: ["addEventListener", "removeEventListener", "dispatchEvent"],
  abort: ["AbortController", "AbortSignal"],
  blob: ["Blob", "File"],
  file_reader: ["FileReader"],
  form_data: ["FormData"],
  headers: ["Headers"],
  fetch: ["fetch", "Request", "Response"],
  stream: ["ReadableStream", "ReadableStreamDefaultReader"],
  xhr: ["XMLHttpRequest"],
  sockets: ["WebSocket", "EventSource"],
  webrtc: ["RTCPeerConnection", "RTCDataChannel", "RTCSessionDescription", "RTCIceCandidate"],
  media: ["MediaStream", "MediaStreamTrack"],
  document: ["document"],
  subtle: ["CryptoKey"],
  storage: ["localStorage", "sessionStorage", "Storage"],
};

export default function (host) {
  // Whose code runs, and how many timers led to it. After an `await` it is
  // whoever ran last, so the host prefers the file named in a stack.
  host.owner = "";
  host.nesting = 0;
  host.enter = (owner, nesting = 0) => {
    host.owner = owner;
    host.nesting = nesting;
  };
  host.whose = () => host.author(new Error().stack) || host.owner;

  // Called with the address of a component that ends: what it added goes too.
  host.ends = new Set();

  // What a component keeps, as the core sends it before the component itself;
  // read when somebody touches `localStorage` (see `storage`).
  host.seeds = new Map();
  host.seed = (owner, items) => {
    host.seeds.set(owner, [...(host.seeds.get(owner) ?? []), items]);
  };
  host.ends.add((owner) => void host.seeds.delete(owner));

  // What a component has put in the place of a global stays; the framework
  // finds its own under `host.web`.
  const taken = new Set();
  const loaded = new Set();
  host.web = {};

  // What the runtime gave to components, for them alone (see `rpc_references`).
  host.private = new WeakSet();

  host.global = (name, value) => {
    host.web[name] = value;
    if (!taken.has(name)) define(globalThis, name, { value, writable: true });
  };

  // Loads a file once, for another file that builds on what it makes.
  host.need = (file) => {
    if (loaded.has(file)) return host.web;
    loaded.add(file);
    try {
      host.load(file);
    } catch (error) {
      loaded.delete(file);
      throw error;
    }
    return host.web;
  };

  // Most components never touch these: their file is loaded when one does.
  for (const [file, names] of Object.entries(LAZY)) {
    for (const name of names) {
      define(globalThis, name, {
        get: () => host.need(file)[name],
        set: (value) => {
          taken.add(name);
          define(globalThis, name, { value, writable: true });
        },
      });
    }
  }

  // A buffer or a view of one, as bytes in place; undefined for anything else.
  host.bytesOf = (value) => {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
  };
  host.toBase64 = (bytes) => bytes.toBase64();
  host.fromBase64 = (text) => Uint8Array.fromBase64(text);

  // Bytes go to the host as a text of as many characters.
  host.utf8 = (bytes, fatal) => {
    let latin = "";
    for (let at = 0; at < bytes.length; at += 8192) {
      latin += String.fromCharCode.apply(null, bytes.subarray(at, at + 8192));
    }
    return host.decode(latin, fatal);
  };
}

function define(object, name, property) {
  Object.defineProperty(object, name, { ...property, configurable: true, enumerable: false });
}
