/** Pure placement: on which host an instance runs. */
import { about, type PlumbError, retryable, terminal } from '@plumb/schemas';
import { type Amounts, amounts, CPUS, lackingOf, MEMORY_MIB, NOTHING } from './claims.ts';

export interface PlacementRequest {
  zone: string;
  /** What it takes of its host. */
  amounts: Amounts;
  /** Labels the host must have: the instance's own selector and those of its L2 networks. */
  selectors: readonly { what: string; matchLabels: Readonly<Record<string, string>> }[];
  /** What of the declaration the amounts come from. */
  field?: string;
  /** Names of hosts that cannot make what the instance needs. */
  notOn?: ReadonlySet<string>;
  /** Names of hosts whose agents do not handle a type of resource that it needs. */
  lacking?: ReadonlySet<string>;
  /** Host label over whose values the instances of the group are spread; undefined: single hosts. */
  spreadLabel?: string;
}

export interface PlacementHost {
  name: string;
  zone: string;
  labels: Readonly<Record<string, string>>;
  connected: boolean;
  unschedulable: boolean;
  /** Why nothing may be placed there for now, as what hosts do: `do not answer`. */
  barred?: string;
  /** What can be handed out there, of CPUs and memory: physical times overcommit. */
  has: Amounts;
  used: Amounts;
  /** Instances of the request's spread group on this host. */
  groupCount: number;
}

/**
 * The host with the fewest instances of the group in its spread domain, then the least used share, then the first name.
 * Throws terminal `NoHostFits` when not even an empty host could hold the request, else retryable `NoCapacity` or
 * `NoHostReady`: waiting helps there.
 */
export function place(request: PlacementRequest, hosts: Iterable<PlacementHost>): string {
  const eligible: PlacementHost[] = [];
  const rejected = new Map<string, number>();
  let couldHold = false;
  let unknown = false;
  const reject = (why: string) => rejected.set(why, (rejected.get(why) ?? 0) + 1);
  const groups = new Map<string, number>();
  const domain = (host: PlacementHost) =>
    request.spreadLabel === undefined ? host.name : (host.labels[request.spreadLabel] ?? host.name);

  for (const host of hosts) {
    if (host.zone !== request.zone) continue;
    if (host.groupCount > 0) groups.set(domain(host), (groups.get(domain(host)) ?? 0) + host.groupCount);
    const selector = request.selectors.find((s) => !matches(s.matchLabels, host.labels));
    if (selector) {
      reject(unmatched(selector.what));
      continue;
    }
    if (request.notOn?.has(host.name)) {
      unknown = true;
      reject('say that they cannot make its image, which others have');
      continue;
    }
    if (request.lacking?.has(host.name)) {
      unknown = true;
      reject('have agents that do not handle all that it needs (PluginMissing), and are to be updated');
      continue;
    }
    if (!host.connected) {
      unknown = true;
      reject('are not connected');
      continue;
    }
    if (host.barred !== undefined) {
      unknown = true;
      reject(host.barred);
      continue;
    }
    if (lackingOf(host.has, NOTHING, request.amounts) >= 0) {
      reject('are too small');
      continue;
    }
    couldHold = true;
    const lacking = lackingOf(host.has, host.used, request.amounts);
    if (host.unschedulable) reject('are cordoned');
    else if (lacking >= 0) reject(amounts.all[lacking]!.lacking!);
    else eligible.push(host);
  }

  let best: PlacementHost | undefined;
  for (const host of eligible) if (!best || compare(host, best, groups, domain, request) < 0) best = host;
  if (best) return best.name;
  const error = noHost(request, rejected, couldHold, unknown);
  const field = fieldOf(request, rejected);
  throw field === undefined ? error : about(field, error);
}

function compare(
  a: PlacementHost,
  b: PlacementHost,
  groups: ReadonlyMap<string, number>,
  domain: (host: PlacementHost) => string,
  request: PlacementRequest,
): number {
  return (
    (groups.get(domain(a)) ?? 0) - (groups.get(domain(b)) ?? 0) ||
    share(a, request) - share(b, request) ||
    (a.name < b.name ? -1 : 1)
  );
}

/** The share of the host that is used when it has the request as well: of that amount of which it is the most. */
export function share({ has, used }: Pick<PlacementHost, 'has' | 'used'>, request: PlacementRequest): number {
  const { all } = amounts;
  let most = 0;
  for (let n = 0; n < all.length; n++) {
    if (all[n]!.lacking === undefined) continue;
    const taken = (used[n] ?? 0) + (request.amounts[n] ?? 0);
    // Of what nobody asks for, and a host has none of, nothing is used.
    if (taken > 0) most = Math.max(most, taken / (has[n] ?? 0));
  }
  return most;
}

/** True when every label of the selector is on the host with that value. */
export function matches(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** What of the declaration no host is found for: its own selector, where that alone keeps it from every host. */
function fieldOf({ selectors, field }: PlacementRequest, rejected: ReadonlyMap<string, number>): string | undefined {
  const [only] = rejected.size === 1 ? rejected.keys() : [];
  return selectors.find(({ what }) => what.startsWith('spec.') && only === unmatched(what))?.what ?? field;
}

function unmatched(what: string): string {
  return `do not match ${what}`;
}

function noHost(
  request: PlacementRequest,
  rejected: ReadonlyMap<string, number>,
  couldHold: boolean,
  unknown: boolean,
): PlumbError {
  const wanted = `${request.amounts[CPUS]} CPUs and ${request.amounts[MEMORY_MIB]} MiB in zone ${request.zone}`;
  const counts = [...rejected].sort().map(([why, n]) => `${n} ${why}`);
  const detail = counts.length === 0 ? 'the zone has no hosts' : `of its hosts ${counts.join(', ')}`;
  if (couldHold) return retryable('NoCapacity', `no host has room for ${wanted} now: ${detail}. It waits for room.`);
  if (unknown || rejected.size === 0)
    return retryable('NoHostReady', `no host for ${wanted} yet: ${detail}. It waits for a host to connect.`);
  return terminal('NoHostFits', `no host can ever hold ${wanted}: ${detail}. Choose a smaller offering or add a host.`);
}
