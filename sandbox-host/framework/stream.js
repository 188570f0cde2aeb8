// ReadableStream, as far as bodies need it: read piece by piece, or given up.

export default function (host) {
  const sources = new WeakMap();

  class ReadableStream {
    #pieces = [];
    #waiting = [];
    #state = "open";
    #error;
    #reader;
    #source;
    #started;
    #pulling = false;

    constructor(source = {}) {
      this.#source = source ?? {};
      const controller = this.#controller();
      this.#started = Promise.resolve(this.#source.start?.(controller)).catch((error) => this.#fail(error));
      sources.set(this, { controller, reader: () => this.#read(), cancel: (reason) => this.#cancel(reason) });
    }

    get locked() { return this.#reader !== undefined; }

    getReader(options) {
      if (options?.mode !== undefined) throw new TypeError("readers into a buffer are not available: use `getReader()`");
      if (this.locked) throw new TypeError("the stream has a reader already");
      const reader = new ReadableStreamDefaultReader(this, () => void (this.#reader = undefined));
      this.#reader = reader;
      return reader;
    }

    async cancel(reason) {
      if (this.locked) throw new TypeError("the stream has a reader: cancel that");
      return this.#cancel(reason);
    }

    tee() {
      return host.teed(this.getReader()).map((source) => host.streamOf(source));
    }

    async *values({ preventCancel = false } = {}) {
      const reader = this.getReader();
      let isDone = false;
      try {
        for (;;) {
          const { done, value } = await reader.read();
          isDone = done;
          if (done) return;
          yield value;
        }
      } catch (error) {
        isDone = true;
        throw error;
      } finally {
        if (!isDone && !preventCancel) await reader.cancel();
        reader.releaseLock();
      }
    }

    [Symbol.asyncIterator](options) { return this.values(options); }

    #controller() {
      return {
        enqueue: (piece) => {
          if (this.#state !== "open") throw new TypeError("the stream is closed");
          const first = this.#waiting.shift();
          if (first === undefined) this.#pieces.push(piece);
          else first.resolve({ done: false, value: piece });
        },
        close: () => {
          if (this.#state !== "open") throw new TypeError("the stream is closed already");
          this.#close();
        },
        error: (error) => this.#fail(error),
        get desiredSize() { return 1; },
      };
    }

    #read() {
      if (this.#pieces.length > 0) return Promise.resolve({ done: false, value: this.#pieces.shift() });
      if (this.#state === "closed") return Promise.resolve({ done: true, value: undefined });
      if (this.#state === "failed") return Promise.reject(this.#error);
      const read = new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject }));
      this.#pull();
      return read;
    }

    // One pull at a time, and again while somebody waits.
    async #pull() {
      if (this.#pulling) return;
      this.#pulling = true;
      try {
        await this.#started;
        while (this.#waiting.length > 0 && this.#state === "open" && this.#source.pull !== undefined) {
          const before = this.#waiting.length;
          await this.#source.pull(sources.get(this).controller);
          // A source that gives nothing now gives it later, by itself.
          if (this.#waiting.length === before) break;
        }
      } catch (error) {
        this.#fail(error);
      }
      this.#pulling = false;
    }

    #close() {
      this.#state = "closed";
      for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
    }

    #fail(error) {
      if (this.#state !== "open") return;
      this.#state = "failed";
      this.#error = error;
      this.#pieces = [];
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    }

    async #cancel(reason) {
      if (this.#state === "failed") throw this.#error;
      if (this.#state === "closed") return;
      this.#pieces = [];
      this.#close();
      await this.#source.cancel?.(reason);
    }
  }

  class ReadableStreamDefaultReader {
    #stream;
    #release;

    constructor(stream, release) {
      if (!sources.has(stream)) throw new TypeError("a reader reads a ReadableStream");
      if (release === undefined) return stream.getReader();
      this.#stream = stream;
      this.#release = release;
    }

    async read() {
      return this.#of().reader();
    }

    async cancel(reason) {
      return this.#of().cancel(reason);
    }

    releaseLock() {
      this.#release?.();
      this.#stream = undefined;
    }

    #of() {
      if (this.#stream === undefined) throw new TypeError("the reader was released");
      return sources.get(this.#stream);
    }
  }

  // A stream of what `read()` gives, until that is undefined.
  host.streamOf = (source) => new ReadableStream({
    async pull(controller) {
      const piece = await source.read();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel: (reason) => source.cancel?.(reason),
  });

  // What a reader reads, for two: each has the pieces that the other was ahead by.
  host.teed = (reader) => {
    const queues = [[], []];
    let ended = 0;
    const source = (own, other) => ({
      async read() {
        if (own.length > 0) return own.shift();
        const { done, value } = await reader.read();
        if (done) return undefined;
        other.push(value.slice());
        return own.length > 0 ? (own.push(value), own.shift()) : value;
      },
      async cancel(reason) {
        ended += 1;
        if (ended === 2) await reader.cancel(reason);
      },
    });
    return [source(queues[0], queues[1]), source(queues[1], queues[0])];
  };

  host.global("ReadableStream", ReadableStream);
  host.global("ReadableStreamDefaultReader", ReadableStreamDefaultReader);
}
