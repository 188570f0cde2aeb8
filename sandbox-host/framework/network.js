// What every interface to the network does here: refuse, and say why.
//
// A component's log gets one warning for each host it tries to reach, and from
// then on one a minute at most: published code tries again and again.

const QUIET_MS = 60000;
// Names a component can make up are endless; those beyond share one record.
const HOSTS_MAX = 64;
const PLACE_MAX = 200;
// A published stub connects again in the moment in which it hears that it is
// not connected. Browsers slow such code down, and so does this.
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 30000;

export default function (host) {
  // owner → host → { next, refused, wait, again }
  const records = new Map();

  // Refuses `owner` the network for `what`: the reason, and how long a
  // connection to there takes to fail.
  host.refuseNetwork = (owner, what, url) => {
    const { place, peer } = described(url);
    const record = recordOf(owner, peer);
    const reason = `${what} to \`${place}\` was refused: ${owner || "the component"} has no network grant, `
      + "and this version of the runtime gives scripts none. "
      + `Let a native protocol stub, or your application, speak with \`${peer}\``;
    warn(owner, record, reason);
    return { reason, wait: waitOf(record) };
  };

  function recordOf(owner, peer) {
    const hosts = records.get(owner) ?? new Map();
    records.set(owner, hosts);
    const key = hosts.has(peer) || hosts.size < HOSTS_MAX ? peer : "";
    const record = hosts.get(key) ?? { next: 0, refused: 0, wait: 0, again: 0 };
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

  function warn(owner, record, reason) {
    const now = host.now();
    if (now < record.next) {
      record.refused += 1;
      return;
    }
    const more = record.refused > 0 ? ` (and ${record.refused} more since the last line)` : "";
    host.log(owner, "warn", reason + more, new Error().stack);
    record.next = now + QUIET_MS;
    record.refused = 0;
  }

  // Without user, query and fragment: tokens travel there.
  function described(url) {
    const parsed = host.need("url").URL.parse(String(url), globalThis.location?.href);
    if (parsed === null) return { place: String(url).slice(0, PLACE_MAX), peer: "it" };
    const place = `${parsed.protocol}//${parsed.host}${parsed.pathname}`.slice(0, PLACE_MAX);
    return { place: place.toWellFormed(), peer: parsed.host };
  }

  host.ends.add((owner) => void records.delete(owner));
}
