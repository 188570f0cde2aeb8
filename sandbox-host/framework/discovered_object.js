// DiscoveredObject: what a discovery found, and whether it is there
// (spec services §2.10).

export default function (host) {
  host.need("registration_status");

  /** A record of the registry that tells when its owner comes and goes. */
  host.services.DiscoveredObject = class DiscoveredObject extends host.services.RegistrationStatus {
    /**
     * @param {object} data the record; `hypertyID` or `url` is its address
     * @param {string} runtimeURL
     * @param {string} discoveryURL the component that asked
     * @param {object} msgBus
     * @param {object} discovery
     */
    constructor(data, runtimeURL, discoveryURL, msgBus, discovery) {
      super(data.hypertyID || data.url, runtimeURL, discoveryURL, msgBus);
      this._data = data;
      this._discovery = discovery;
    }

    /** The record as it was found. */
    get data() {
      return this._data;
    }

    /**
     * Asks the registry again and calls back those that wait for the status it names.
     *
     * @returns {Promise<string|undefined>} the status, if the registry knows the address
     */
    async check() {
      const url = this._registryObjectURL;
      const isHyperty = url.startsWith("hyperty://");
      const lookup = isHyperty ? "discoverHypertyPerURL" : "discoverDataObjectPerURL";
      const { status } = await this._discovery[lookup](url);
      if (status !== undefined) this._processNotification({ body: { value: status } });
      return status;
    }
  };
}
