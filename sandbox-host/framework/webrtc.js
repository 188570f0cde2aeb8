// RTCPeerConnection and what belongs to it: made without complaint, because
// published code makes them when it starts, and refusing whatever would need a
// peer. By promise or by callback, as the caller asked.

const REASON = "peer-to-peer is not available in this runtime yet";

export default function (host) {
  const { EventTarget, CloseEvent, ErrorEvent } = host.need("events");
  const refusal = () => new DOMException(REASON, "NotSupportedError");
  const warned = new Set();
  host.ends.add((owner) => void warned.delete(owner));

  // Once for each component: every further call has the same reason.
  function refuse() {
    const owner = host.whose();
    if (!warned.has(owner)) {
      warned.add(owner);
      const text = `RTCPeerConnection of ${owner} is refused: ${REASON}. Its messages can go by the bus`;
      host.log(owner, "warn", text, new Error().stack);
    }
    return refusal();
  }

  // The legacy forms take callbacks and give nothing to wait for.
  function refused(failed) {
    const error = refuse();
    if (typeof failed !== "function") return Promise.reject(error);
    host.task(host.whose(), () => failed(error));
    return Promise.resolve();
  }

  class RTCSessionDescription {
    constructor(init = {}) {
      this.type = init?.type ?? null;
      this.sdp = init?.sdp ?? "";
    }

    toJSON() {
      return { type: this.type, sdp: this.sdp };
    }
  }

  class RTCIceCandidate {
    constructor(init = {}) {
      this.candidate = init?.candidate ?? "";
      this.sdpMid = init?.sdpMid ?? null;
      this.sdpMLineIndex = init?.sdpMLineIndex ?? null;
      this.usernameFragment = init?.usernameFragment ?? null;
    }

    toJSON() {
      const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = this;
      return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
    }
  }

  class RTCDataChannel extends EventTarget {
    #state = "connecting";
    #label;

    binaryType = "arraybuffer";
    bufferedAmountLowThreshold = 0;
    bufferedAmount = 0;
    ordered = true;
    protocol = "";
    id = null;

    constructor(label) {
      super();
      this.#label = String(label);
    }

    get label() { return this.#label; }
    get readyState() { return this.#state; }

    send() {
      throw new DOMException(`the data channel is not open: ${REASON}`, "InvalidStateError");
    }

    close() {
      if (this.#state === "closed") return;
      this.#state = "closed";
      host.task(host.whose(), () => this.dispatchEvent(new CloseEvent("close")));
    }

    fail(error) {
      if (this.#state === "closed") return;
      this.#state = "closed";
      this.dispatchEvent(new ErrorEvent("error", { error, message: error.message }));
      this.dispatchEvent(new CloseEvent("close"));
    }
  }

  class RTCPeerConnection extends EventTarget {
    #closed = false;
    #configuration;
    #channels = [];

    localDescription = null;
    remoteDescription = null;
    iceGatheringState = "new";

    constructor(configuration = {}) {
      super();
      this.#configuration = configuration ?? {};
    }

    get signalingState() { return this.#closed ? "closed" : "stable"; }
    get iceConnectionState() { return this.#closed ? "closed" : "new"; }
    get connectionState() { return this.#closed ? "closed" : "new"; }

    getConfiguration() { return this.#configuration; }
    setConfiguration(configuration) { this.#configuration = configuration; }
    getSenders() { return []; }
    getReceivers() { return []; }
    getTransceivers() { return []; }
    getLocalStreams() { return []; }
    getRemoteStreams() { return []; }
    addStream() {}
    removeStream() {}
    removeTrack() {}
    restartIce() {}

    addTrack() { throw refuse(); }
    addTransceiver() { throw refuse(); }

    createOffer(done, failed) { return refused(failed); }
    createAnswer(done, failed) { return refused(failed); }
    setLocalDescription(description, done, failed) { return refused(failed); }
    setRemoteDescription(description, done, failed) { return refused(failed); }
    addIceCandidate(candidate, done, failed) { return refused(failed); }
    getStats() { return Promise.resolve(new Map()); }

    createDataChannel(label) {
      if (this.#closed) throw new DOMException("the connection is closed", "InvalidStateError");
      const channel = new RTCDataChannel(label);
      this.#channels.push(channel);
      const error = refuse();
      host.task(host.whose(), () => channel.fail(error));
      return channel;
    }

    close() {
      this.#closed = true;
      for (const channel of this.#channels.splice(0)) channel.close();
    }

    static generateCertificate() {
      return refused();
    }
  }

  host.attributes(RTCDataChannel, ["open", "message", "bufferedamountlow", "error", "closing", "close"]);
  host.attributes(RTCPeerConnection, [
    "icecandidate", "icecandidateerror", "iceconnectionstatechange", "icegatheringstatechange",
    "negotiationneeded", "signalingstatechange", "connectionstatechange", "datachannel", "track",
    "addstream", "removestream",
  ]);
  const all = { RTCPeerConnection, RTCDataChannel, RTCSessionDescription, RTCIceCandidate };
  for (const [name, type] of Object.entries(all)) host.global(name, type);
}
