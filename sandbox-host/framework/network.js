// The network as scripts have it: connections that were granted, and why there is none.
//
// The first use of it makes the host's part (`src/script/net`). A component's log
// gets one warning for each host that it cannot reach, and from then on one a
// minute at most: published code tries again and again.

const QUIET_MS = 60000;
// Names a component can make up are endless; those beyond share one record.
const HOSTS_MAX = 64;
const PLACE_MAX = 200;
// A published stub connects again in the moment in which it hears that it is
// not connected. Browsers slow such code down, and so does this.
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 30000;

const TOO_MANY = "too many connections are open in this sandbox: close some first";

export default function (host) {
  const net = host.openNetwork();
  // owner → host → { next, failed, wait, again }
  const records = new Map();
  // number of a connection → { owner, hear, nesting }: a loop that goes by way of the
  // network is slowed down like one that goes by timers
  const open = new Map();

  host.net = net;

  // Listens to a connection; its number, or undefined when there are too many.
  host.attend = (owner, id, hear) => {
    if (id !== undefined && id !== null) open.set(id, { owner, hear, nesting: host.nesting });
    else host.task(owner, () => hear("failed", undefined, TOO_MANY, false));
    return id ?? undefined;
  };

  // Ends a connection of which nothing more is to be heard.
  host.abandonConnection = (id) => {
    if (!open.delete(id)) return;
    net.cancel(id);
  };

  // Called by the host with what a connection tells.
  host.heard = (owner, id, word, value, text, flag) => {
    const entry = open.get(id);
    if (entry === undefined) return;
    if (word === "closed" || word === "failed" || word === "end") open.delete(id);
    host.enter(owner || entry.owner, entry.nesting);
    try {
      entry.hear(word, value, text, flag);
    } catch (error) {
      host.report(entry.owner, error);
    }
  };

  // What a component is told of a connection that failed: the reason, and how
  // long another attempt there should take to fail. `stack` is where it was asked for.
  host.networkFailed = (owner, what, url, why, isDenied, stack) => {
    const { place, peer } = described(url);
    const record = recordOf(owner, peer);
    const reason = `${what} to \`${place}\` ${isDenied ? "was refused" : "failed"}: ${why}`;
    warn(owner, record, reason, stack);
    return { reason, wait: waitOf(record) };
  };

  function recordOf(owner, peer) {
    const hosts = records.get(owner) ?? new Map();
    records.set(owner, hosts);
    const key = hosts.has(peer) || hosts.size < HOSTS_MAX ? peer : "";
    const record = hosts.get(key) ?? { next: 0, failed: 0, wait: 0, again: 0 };
    hosts.set(key, record);
    return record;
  }

  // The wait doubles while it is tried again at once; who has waited begins anew.
  function waitOf(record) {
    const now = host.now();
    const isRested = now >= record.again;
    const wait = isRested ? 0 : record.wait;
    record.wait = isRested ? FIRST_WAIT_MS : Math.min(wait * 2, LONGEST_WAIT_MS);
    record.again = now + wait + record.wait;
    return wait;
  }

  function warn(owner, record, reason, stack) {
    const now = host.now();
    if (now < record.next) {
      record.failed += 1;
      return;
    }
    const more = record.failed > 0 ? ` (and ${record.failed} more since the last line)` : "";
    host.log(owner, "warn", reason + more, stack);
    record.next = now + QUIET_MS;
    record.failed = 0;
  }

  // Without user, query and fragment: tokens travel there.
  function described(url) {
    const parsed = host.need("url").URL.parse(String(url), globalThis.location?.href);
    if (parsed === null) return { place: String(url).slice(0, PLACE_MAX), peer: "it" };
    const place = `${parsed.protocol}//${parsed.host}${parsed.pathname}`.slice(0, PLACE_MAX);
    return { place: place.toWellFormed(), peer: parsed.host };
  }

  host.ends.add((owner) => {
    records.delete(owner);
    for (const [id, entry] of open) if (entry.owner === owner) open.delete(id);
    net.forget(owner);
  });
}
