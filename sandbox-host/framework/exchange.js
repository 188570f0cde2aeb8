// One request and its answer, for `fetch` and `XMLHttpRequest`.

// Headers that say how the connection works, carry what a user has with a host, or
// would let a script pretend to be a browser (fetch standard, forbidden headers).
const FORBIDDEN = new Set([
  "accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method",
  "access-control-request-private-network", "connection", "content-length", "cookie", "cookie2", "date", "dnt",
  "expect", "host", "keep-alive", "origin", "referer", "set-cookie", "te", "trailer", "transfer-encoding",
  "upgrade", "via",
]);
const HIDDEN = new Set(["set-cookie", "set-cookie2"]);

export default function (host) {
  host.need("network");
  const { Headers } = host.need("headers");
  const { net } = host;

  // An answer that nobody holds any more is not read any more: its connection ends.
  const unread = new FinalizationRegistry((id) => host.abandonConnection(id));

  // Whether a script may say this header; browsers leave the others out in silence.
  host.maySay = (name) => {
    const key = name.toLowerCase();
    return !FORBIDDEN.has(key) && !key.startsWith("proxy-") && !key.startsWith("sec-");
  };

  // Resolves with the head of the answer and the `source` that its body is read from; rejects with the
  // reason, or with that of an abort. `asked`: { method, url, headers, redirect, timeout }.
  host.exchange = (owner, what, asked, bytes, signal) =>
    new Promise((resolve, reject) => void begin(owner, what, asked, bytes, signal, { resolve, reject }));

  function begin(owner, what, asked, bytes, signal, promise) {
    const { stack } = new Error();
    const headers = [...asked.headers].filter(([name]) => host.maySay(name));
    const body = bytes === null ? undefined : host.toBase64(bytes);
    const pull = puller();
    // Let go of with the head: what a promise has come to is held by who may settle it.
    let waiting = promise;
    const fail = (error) => {
      waiting?.reject(error);
      waiting = undefined;
      pull.fail(error);
    };
    const cancel = (reason) => {
      host.abandonConnection(id);
      fail(reason ?? new DOMException("it was aborted", "AbortError"));
    };
    const id = host.attend(owner, net.request(owner, JSON.stringify({ ...asked, headers }), body), (word, value, text, flag) => {
      if (word === "head") {
        const { resolve } = waiting;
        waiting = undefined;
        const source = { read: () => pull.next(() => net.read(id)), cancel };
        unread.register(source, id);
        resolve({ ...head(value), source });
      } else if (word === "bytes") pull.give(new Uint8Array(value));
      else if (word === "end") pull.give(undefined);
      else {
        const { reason } = host.networkFailed(owner, what, asked.url, text, flag, stack);
        // Not at once: who tries again in a loop would never leave its turn.
        host.task(owner, () => fail(new TypeError(reason)));
      }
    });
    signal?.addEventListener("abort", () => cancel(signal.reason));
  }

  // Reads one piece after the other, each when the one before has come.
  function puller() {
    let waiting;
    let last = Promise.resolve();
    let failure;
    let isAtEnd = false;
    return {
      next(ask) {
        last = last.then(() => new Promise((resolve, refuse) => {
          if (failure !== undefined) return refuse(failure.error);
          if (isAtEnd) return resolve(undefined);
          waiting = { resolve, refuse };
          ask();
          return undefined;
        }));
        // Whoever reads hears of it.
        last.catch(() => {});
        return last;
      },
      give(piece) {
        const { resolve } = waiting;
        waiting = undefined;
        isAtEnd = piece === undefined;
        resolve(piece);
      },
      fail(error) {
        failure ??= { error };
        waiting?.refuse(error);
        waiting = undefined;
      },
    };
  }

  function head({ status, text, url, redirected, headers }) {
    const all = new Headers(headers.filter(([name]) => !HIDDEN.has(name)));
    return { status, statusText: text, url, redirected, headers: all };
  }
}
