/** The relay as a placed kind: all that has to be said of it. */
import { type HostResource, type L2Network, terminal, type Zone } from '@plumb/schemas';
import { CPUS, pools } from '../../../../plan/claims.ts';
import type { Held, HoldingType } from '../../../../plan/holding.ts';
import type { Cached } from '../../../../runtime/cache.ts';
import type { KindModule } from '../../../kind-module.ts';
import { mustBeReady, nameOf, resolve } from '../../../references.ts';
import { placedController } from '../../controller.ts';
import { type PlacedKind, placedKind, type Resolved } from '../../placed-kind.ts';
import { placedPreview } from '../../preview.ts';
import { placedRules, placedStates } from '../../watches.ts';
import { type Relay, relay } from './kind.ts';

const CHANNEL = pools.define({ name: 'channel', ordinal: Number });

interface RelayHeld extends Held {
  channel: number;
  /** uid of the L2Network. */
  network: string;
}

const holding: HoldingType<RelayHeld> = {
  kind: relay.kind,
  schema: {
    type: 'object',
    required: ['host', 'channel', 'network'],
    properties: { host: { type: 'string' }, channel: { type: 'integer' }, network: { type: 'string' } },
  },
  settled(status) {
    const { host, channel, network } = (status ?? {}) as Partial<RelayHeld>;
    return host === undefined ? undefined : { host, channel: channel!, network: network! };
  },
  claims: ({ host, channel }) => ({ host, amounts: oneCpu, exclusive: [{ pool: CHANNEL, key: String(channel) }] }),
  networks: ({ network }) => [network],
};

const oneCpu: number[] = [];
oneCpu[CPUS] = 1;

interface ResolvedRelay extends Resolved {
  l2: Cached<L2Network>;
  zone: Cached<Zone>;
}

const kind: PlacedKind<Relay, RelayHeld, ResolvedRelay> = {
  holding,
  resolve(context, { object }, newUse) {
    const l2 = resolve<L2Network>(context, object, 'spec.l2Network', 'L2Network', object.spec.l2Network, { newUse });
    if (newUse) mustBeReady('spec.l2Network', l2);
    const zone = resolve<Zone>(context, object, 'spec.zone', 'Zone', object.spec.zone, { newUse });
    return { used: [zone, l2], l2, zone };
  },
  asks: (_, { spec }) => ({ request: { zone: spec.zone, amounts: oneCpu, selectors: [] } }),
  claim(context, { metadata, spec }, { resolved, host, index }) {
    const holder = index.holderOf(CHANNEL, String(spec.channel));
    if (holder !== undefined && holder !== metadata.uid)
      throw terminal('ChannelTaken', `channel ${spec.channel} is held by ${nameOf(context, holder)}`);
    return { host, channel: spec.channel, network: resolved.l2.object.metadata.uid };
  },
  resources({ metadata, spec }, held, { zone }) {
    const owner = metadata.uid;
    const { watts, colour } = spec;
    const place = zone.object.spec.description ?? '';
    const lamp = { mast: `${owner}.mast`, bridge: held.network, channel: held.channel, watts, colour, place };
    return [
      { kind: 'mast', id: `${owner}.mast`, owner, spec: { metres: watts > 50 ? 20 : 12 } },
      { kind: 'lamp', id: `${owner}.lamp`, owner, spec: lamp },
    ] as unknown as HostResource[];
  },
  *made(uid) {
    for (const type of ['mast', 'lamp']) yield { kind: type as HostResource['kind'], id: `${uid}.${type}` };
  },
  ready: (_, __, held) => ({
    status: { ...held },
    reason: 'Sends',
    message: `sends on ${held.channel} from ${held.host}`,
  }),
};

const placed = placedKind(kind);

export const relayModule: KindModule = {
  kind: relay,
  watches: placedRules(relay, placed.holding),
  keeps: placedStates,
  writes: ['Relay.status', 'channels', 'masts and lamps on hosts'],
  preview: placedPreview(placed),
  placed,
  controller: (context) => placedController({ name: 'relay', concurrency: 16 }, context, placed),
};
