// Updates on their way into an observer's copy (spec services §1.7).
//
// Each has a number. One that is ahead waits until the Sync Manager's copy was
// read; so do those that come before the observer is there.

/**
 * Updates of one object that wait for a read. What comes beyond is dropped: the
 * next read has it.
 */
const WAITING_MAX = 1024;

/** Reads in a row that bring nothing new, each four times later: 0.05 s to 3 s. */
const READS_MAX = 4;
const READ_DELAY_MS = 50;

export default function (host) {
  const { apply, reconcile, received } = host.data;

  class DeltaReceiver {
    /**
     * Hears what is published of an object.
     *
     * @param {object} bus
     * @param {string} url of the data object
     */
    constructor(bus, url) {
      this.waiting = new Map();
      this.object = undefined;
      this.isReading = false;
      this.reads = 0;
      // An update of this version was dropped here, or by the Sync Manager.
      this.missed = 0;
      // The Sync Manager has dropped something, which may have been about children.
      this.isBehind = false;
      this.listener = host.data.hear(bus, `${url}/changes`, (message) => {
        if (message.type === "update" && message.from === url) this.take(message.body ?? {});
      });
    }

    /** From now on updates are applied. @param {object} object an observer */
    feed(object) {
      this.object = object;
      this.drain();
    }

    stop() {
      this.listener.remove();
      this.waiting.clear();
    }

    take(delta) {
      const { version, behind } = delta;
      if (!Number.isSafeInteger(version)) return;
      if (behind === true) {
        this.isBehind = true;
        this.missed = Math.max(this.missed, version);
      } else if (this.object !== undefined && version <= this.object._version) return;
      else if (this.waiting.size < WAITING_MAX) this.waiting.set(version, delta);
      else this.missed = Math.max(this.missed, version);
      this.drain();
    }

    /** Reads it, with children: something may have been missed. */
    catchUp() {
      this.isBehind = true;
      this.drain();
    }

    // Applies what is in order; reads when something is missing before the rest.
    drain() {
      const { object, waiting } = this;
      if (object === undefined || this.isReading) return;
      for (;;) {
        const next = object._version + 1;
        const delta = waiting.get(next);
        if (delta === undefined) break;
        waiting.delete(next);
        if (!this.applied(delta)) {
          this.missed = Math.max(this.missed, next);
          break;
        }
        // The component that hears of it may have ended it.
        if (object._status !== "live") return;
      }
      for (const version of waiting.keys()) if (version <= object._version) waiting.delete(version);
      if (waiting.size > 0 || this.missed > object._version || this.isBehind) this.read();
    }

    applied(delta) {
      const { object } = this;
      const changes = apply(object._tree, delta);
      if (changes === undefined) return false;
      object._modified(delta.version, delta.lastModified);
      for (const change of changes) object._changed(change);
      return true;
    }

    // However many gaps there are, one read is on its way.
    read() {
      const { object, isBehind } = this;
      this.isReading = true;
      this.isBehind = false;
      object._syncher._read(object._url).then(
        (value) => this.wasRead(value, isBehind),
        (reason) => {
          this.isBehind ||= isBehind;
          this.readAgain(reason);
        },
      );
    }

    wasRead(value, isBehind) {
      const { object } = this;
      if (object._status !== "live") return;
      const isNewer = value?.version > object._version;
      if (!isNewer && !isBehind) return this.readAgain("the copy is not newer");
      // Before what may take long: the engine ends a turn wherever it is.
      this.isReading = false;
      this.reads = 0;
      if (isNewer) this.adopt(value);
      object._catchUp(value?.childrenObjects);
      this.drain();
    }

    readAgain(reason) {
      const { object } = this;
      if (object._status !== "live") return;
      if (this.reads < READS_MAX) {
        this.reads += 1;
        return void host.after(READ_DELAY_MS * 4 ** (this.reads - 1), () => {
          // What was missing may have come meanwhile.
          this.isReading = false;
          if (object._status === "live") this.drain();
        });
      }
      this.reads = 0;
      object._warn(`updates before version ${this.missed} are missing and cannot be read: ${reason}`);
      this.isReading = false;
      this.skip();
    }

    // A published reporter counts its children's updates as its own, so that a
    // number may be missing for good: what there is is taken in its order.
    skip() {
      const { object, waiting } = this;
      this.missed = 0;
      this.isBehind = false;
      for (const version of [...waiting.keys()].sort((a, b) => a - b)) {
        const delta = waiting.get(version);
        waiting.delete(version);
        if (version > object._version && !this.applied(delta)) object._modified(version, delta.lastModified);
      }
    }

    /**
     * Takes over a whole copy.
     *
     * @param {{data: object, version: number, lastModified?: string}} value
     * @param {boolean} [tellsAll] whether filters hear of members that stay the same
     */
    adopt({ data, version, lastModified }, tellsAll = false) {
      const { object } = this;
      const fresh = received(data) ?? {};
      const { raw } = object._tree;
      const before = new Map(Object.keys(raw).map((key) => [key, JSON.stringify(raw[key])]));
      if (Array.isArray(raw) !== Array.isArray(fresh)) return object._warn("a read gave data of another kind");
      reconcile(raw, fresh);
      object._modified(version, lastModified);
      this.tell(before, raw, tellsAll);
    }

    tell(before, raw, tellsAll) {
      const oType = Array.isArray(raw) ? "array" : "object";
      for (const key of Object.keys(raw)) {
        const isNew = !before.has(key);
        const value = raw[key];
        if (!isNew && !tellsAll && before.get(key) === JSON.stringify(value)) continue;
        this.object._changed({ path: [key], cType: isNew ? "add" : "update", oType, value });
      }
      for (const key of before.keys()) {
        if (!Object.hasOwn(raw, key)) this.object._changed({ path: [key], cType: "remove", oType, count: 1 });
      }
    }
  }

  /** Hears an address that the core delivers without being asked. */
  host.data.hear = (bus, url, callback) => (bus._hear ?? bus.addListener).call(bus, url, callback);
  host.data.DeltaReceiver = DeltaReceiver;
}
