// InvitationsHandler: who cannot be reached now is invited when they are back
// (spec services §2.12).

/** Registrations of one invitation that are waited for; older devices are left out. */
const DISCONNECTED_MAX = 5;

/** What the core answers for an address behind which nobody is. Others have refused. */
const UNREACHABLE = new Set([404, 408, 503]);

export default function (host) {
  host.services.InvitationsHandler = class InvitationsHandler {
    #seen = new WeakSet();

    /** @param {string} hypertyURL who invites */
    constructor(hypertyURL) {
      host.needed({ hypertyURL });
      this._hypertyURL = hypertyURL;
      /** Who is waited for: by the conversation's address, then the hyperty's. */
      this._pending = {};
    }

    /** @param {(result: {invited: string, code: number, desc: string}) => void} callback */
    set invitationResponse(callback) {
      this._invitationsResponse = callback;
    }

    /**
     * Follows the invitations that were sent so far.
     *
     * @param {object} live discovered objects by hyperty address
     * @param {object} reporter
     */
    processInvitations(live, reporter) {
      for (const invitation of reporter.invitations ?? []) {
        if (this.#seen.has(invitation)) continue;
        this.#seen.add(invitation);
        invitation.then(
          (result) => this._invitationsResponse?.(result),
          (result) => {
            this._invitationsResponse?.(result);
            const discovered = Object.hasOwn(live, result?.invited) ? live[result.invited] : undefined;
            if (discovered === undefined || !UNREACHABLE.has(Number(result.code))) return;
            this.inviteDisconnectedHyperties([discovered], reporter);
          },
        );
      }
    }

    /**
     * Invites each of them as soon as it registers again.
     *
     * @param {object[]} disconnected discovered objects
     * @param {object} reporter
     */
    inviteDisconnectedHyperties(disconnected, reporter) {
      for (const discovered of disconnected) this.#wait(discovered, reporter);
    }

    /**
     * Takes up again what was waited for before a restart.
     *
     * @param {object} discovery
     * @param {object} reporter
     * @returns {Promise<void>}
     */
    async resumeDiscoveries(discovery, reporter) {
      const discovered = await discovery.resumeDiscoveries();
      const people = discovered.filter(({ data }) => data.resources?.[0] === "chat");
      const { live, disconnected } = sorted(people);
      this.inviteDisconnectedHyperties(disconnected, reporter);
      reporter.inviteObservers(Object.keys(live));
      this.processInvitations(live, reporter);
      await Promise.all(Object.values(live).map((found) => found.unsubscribeLive(this._hypertyURL)));
    }

    /**
     * Waits for nobody any more.
     *
     * @param {object} reporter
     * @returns {Promise<void>} never rejected: what the core keeps only costs it a message
     */
    async cleanInvitations(reporter) {
      const waiting = Object.values(this._pending[reporter.url] ?? {});
      delete this._pending[reporter.url];
      await Promise.allSettled(waiting.map((discovered) => discovered.unsubscribeLive(this._hypertyURL)));
    }

    #wait(discovered, reporter) {
      const { hypertyID } = discovered.data;
      const pending = (this._pending[reporter.url] ??= {});
      if (Object.hasOwn(pending, hypertyID)) return;
      pending[hypertyID] = discovered;
      const forget = () => {
        delete pending[hypertyID];
        if (Object.keys(pending).length === 0) delete this._pending[reporter.url];
      };
      const invite = () => {
        forget();
        discovered.unsubscribeLive(this._hypertyURL).catch((reason) => console.warn(reason));
        reporter.inviteObservers([hypertyID]);
        this.processInvitations({ [hypertyID]: discovered }, reporter);
      };
      discovered.onLive(this._hypertyURL, invite).catch((reason) => {
        forget();
        console.warn(`\`${hypertyID}\` is not invited when it is back:`, reason);
      });
    }
  };

  function sorted(people) {
    const live = {};
    const disconnected = [];
    for (const found of people) {
      if (found.data.status === "live") live[found.data.hypertyID] = found;
      else if (disconnected.length < DISCONNECTED_MAX) disconnected.push(found);
    }
    return { live, disconnected };
  }

  /** The chat hyperties of `{user, domain}`s: the live ones by address, and some of the others. */
  host.services.discoverPeople = async (discovery, users) => {
    const lookups = users.map(({ user, domain }) => discovery.discoverHypertiesDO(user, ["comm"], ["chat"], domain));
    return sorted((await Promise.all(lookups)).flat());
  };
}
