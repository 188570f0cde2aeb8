// What a reporter changed, on its way to the Sync Manager (spec services §1.6).
//
// One update for each change, at once, numbered without gaps. Where that does not
// do (too many in a turn, one was refused or lost) the whole data follows in one
// message, with the next number, and the observers read it.

/**
 * Updates of one object in one turn. More is a program that fills its data anew:
 * the whole of it is then less than the sum of its changes.
 */
const DELTAS_PER_TURN_MAX = 256;

/** Times that the whole data is sent again, each four times later: 0.1 s to 26 s. */
const ATTEMPTS_MAX = 5;
const ATTEMPT_DELAY_MS = 100;

/** What passes: time-out, over quota, failed, not there now. */
const PASSING = new Set([408, 429, 500, 503]);

export default function (host) {
  const { deltaOf } = host.data;

  class DeltaSender {
    /** @param {object} object a reporter: `_bus`, `_url`, `_owner`, `_version`, `_tree` … */
    constructor(object) {
      this.object = object;
      this.sentInTurn = 0;
      // A change has begun and was not told yet, to its end.
      this.isOpen = false;
      this.isWatched = false;
      // There is a change that the Sync Manager has not been sent.
      this.isBehind = false;
      this.isDue = false;
      this.isAwaiting = false;
      this.attempts = 0;
      // The number of the message that carried the whole data last.
      this.wholeId = 0;
    }

    /** The data is about to change. */
    begin() {
      if (!this.isWatched) {
        this.isWatched = true;
        Promise.resolve().then(() => this.turnIsOver());
      }
      // The one before it was cut short by the engine; or a bus that the component
      // has wrapped changes the data while it sends.
      this.isBehind ||= this.isOpen;
      this.isOpen = true;
    }

    turnIsOver() {
      this.isWatched = false;
      this.sentInTurn = 0;
      if (this.isOpen) this.fallBehind();
      this.isOpen = false;
    }

    /** @param {import("./data_tree.js").Change[]} changes */
    send(changes) {
      if (changes.length > 0) this.sendAll(changes);
      this.isOpen = false;
    }

    sendAll(changes) {
      const { object } = this;
      if (object._status !== "live") {
        return object._warnOnce(`its data has changed, but it is ${object._status}: nobody hears of it`);
      }
      this.sentInTurn += changes.length;
      const isTooMuch = this.sentInTurn > DELTAS_PER_TURN_MAX || changes.some(({ path }) => path.length === 0);
      if (isTooMuch || this.isBehind) return this.fallBehind();
      try {
        for (const change of changes) if (!this.isBehind) this.post(change);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        // The outbox is full, or the path makes the message too large.
        this.fallBehind();
      }
    }

    post(change) {
      const { object } = this;
      const version = object._version + 1;
      const lastModified = new Date().toISOString();
      object._bus.postMessage({
        type: "update",
        from: object._url,
        to: `${object._url}/changes`,
        body: { version, source: object._owner, lastModified, ...deltaOf(change) },
      });
      object._modified(version, lastModified);
    }

    /** The whole data is sent when this turn is over. */
    fallBehind() {
      this.isBehind = true;
      if (this.isDue) return;
      this.isDue = true;
      Promise.resolve().then(() => {
        this.isDue = false;
        this.sendWhole();
      });
    }

    /** Sends the whole data if something of it was not sent. */
    sendWhole() {
      const { object } = this;
      // What changes meanwhile follows when the answer is there.
      if (!this.isBehind || this.isAwaiting || object._status !== "live") return;
      const version = object._version + 1;
      const body = { resource: object._url, version, value: object._tree.raw };
      try {
        const message = { type: "update", from: object._owner, to: object._syncher._subURL, body };
        this.wholeId = object._bus.postMessage(message, (reply) => this.answered(reply));
        this.isAwaiting = true;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return this.sendLater(error.message);
      }
      this.isBehind = false;
      object._modified(version, new Date().toISOString());
    }

    answered({ body }) {
      const code = Number(body?.code);
      if (code < 200) return;
      this.isAwaiting = false;
      if (!(code < 300)) return this.refused(code, body);
      this.attempts = 0;
      this.sendWhole();
    }

    /** An update was not taken. @param {object} message the answer that says so */
    deltaRefused({ id, body }) {
      // Those that were on their way when the whole data was sent do not matter.
      if (id < this.wholeId) return;
      this.refused(Number(body?.code), body);
    }

    refused(code, body) {
      const { object } = this;
      const reason = `${code} ${body?.desc ?? body?.description ?? "no reason given"}`;
      if (code === 404) return object._gone("deleted", `the Sync Manager does not know it: ${reason}`);
      this.isBehind = true;
      if (code === 409 && this.attempts < ATTEMPTS_MAX) {
        if (Number.isSafeInteger(body.version)) object._version = Math.max(object._version, body.version);
        this.attempts += 1;
        this.fallBehind();
      } else if (code === 409 || PASSING.has(code)) this.sendLater(reason);
      // Sending the same again would not help; the next change is tried with all of it.
      else object._warn(`a change was refused, observers have the data before it: ${reason}`);
    }

    sendLater(reason) {
      if (this.attempts >= ATTEMPTS_MAX) {
        this.attempts = 0;
        return this.object._warn(`its changes could not be sent, the next change tries again: ${reason}`);
      }
      host.after(ATTEMPT_DELAY_MS * 4 ** this.attempts, () => this.sendWhole());
      this.attempts += 1;
    }
  }

  host.data.DeltaSender = DeltaSender;
}
