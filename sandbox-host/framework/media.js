// Cameras, microphones and places: there are none here, and whoever asks is told.

const NO_DEVICE = "this runtime has no camera and no microphone";
const NO_PLACE = "this runtime does not know where it is";

export default function (host) {
  const { EventTarget } = host.need("events");

  class MediaStreamTrack extends EventTarget {
    constructor() {
      super();
      throw new TypeError("a track comes from a device, and there is none");
    }
  }

  class MediaStream extends EventTarget {
    #id = host.web.crypto.randomUUID();

    get id() { return this.#id; }
    get active() { return false; }
    getTracks() { return []; }
    getAudioTracks() { return []; }
    getVideoTracks() { return []; }
    getTrackById() { return null; }
    addTrack() {}
    removeTrack() {}
    clone() { return new MediaStream(); }
  }
  host.attributes(MediaStream, ["addtrack", "removetrack", "active", "inactive"]);

  const refusal = () => new DOMException(NO_DEVICE, "NotSupportedError");
  const devices = new EventTarget();
  devices.getUserMedia = () => Promise.reject(refusal());
  devices.getDisplayMedia = () => Promise.reject(refusal());
  devices.enumerateDevices = () => Promise.resolve([]);
  devices.getSupportedConstraints = () => ({});

  // The numbers of browsers: 2 is "position unavailable".
  const unknown = () => ({
    code: 2, message: NO_PLACE, PERMISSION_DENIED: 1, POSITION_UNAVAILABLE: 2, TIMEOUT: 3,
  });
  function tell(failed) {
    if (typeof failed === "function") host.task(host.whose(), () => failed(unknown()));
  }
  let watches = 0;
  const geolocation = {
    getCurrentPosition: (found, failed) => tell(failed),
    watchPosition: (found, failed) => {
      tell(failed);
      return ++watches;
    },
    clearWatch: () => {},
  };

  host.media = {
    mediaDevices: devices,
    geolocation: Object.freeze(geolocation),
    getUserMedia: (constraints, done, failed) => {
      if (typeof failed === "function") host.task(host.whose(), () => failed(refusal()));
    },
  };
  host.global("MediaStream", MediaStream);
  host.global("MediaStreamTrack", MediaStreamTrack);
}
