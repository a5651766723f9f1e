import { agentFrameBounds } from '@plumb/reconciler/fleet/frame-bounds.ts';
import { CallFailure } from '@plumb/reconciler/fleet/grpc/call-failure.ts';
import { FrameReader } from '@plumb/reconciler/fleet/grpc/frame-reader.ts';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { readCallMetadata } from '@plumb/schemas/wire/call-metadata.ts';
import { agentFrame, agentFrameReader } from '@plumb/schemas/wire/codec.ts';
import type { AgentMessage } from '@plumb/schemas/wire/messages.ts';
import { Undecodable } from '@plumb/schemas/wire/scan.ts';
import { anyBytes, anyText, mutatedBytes } from '../generate.ts';
import { type FuzzTarget, isRefusal } from '../target.ts';

const resource = { kind: 'bridge', id: 'b', owner: 'b', spec: '{"name":"lab"}' };
const facts = { driver: 'libvirt', agentVersion: '1', cpus: 4, memoryMib: 8192, tunnelAddress: '192.0.2.1' };
const said: AgentMessage[] = [
  {
    host: 'a',
    body: 'attach',
    attach: { credential: 'c', facts, highestTerm: 2 ** 50, runningCommands: ['x'], registerZone: '' },
  },
  { host: 'a', body: 'snapshot', snapshot: { resources: [{ resource, drift: ['odd'], domain: null }], more: true } },
  { host: 'b', body: 'changes', changes: { changed: [{ resource, drift: [] }], removed: [{ kind: 'port', id: 'p' }] } },
  { host: '', body: 'heartbeat', heartbeat: { sequence: 7 } },
];
const SAMPLES = [
  agentFrame.encode({ messages: said }),
  ...said.map((message) => agentFrame.encode({ messages: [message] })),
];
const read = agentFrameReader(agentFrameBounds(defaultServerLimits));

/** Frames of an agent: in gRPC's envelope, cut anywhere, and what is in them. */
export const frames: FuzzTarget<{ bytes: Buffer; piece: number }> = {
  name: 'frames',
  make(dice) {
    const frame = dice.chance(0.05)
      ? Buffer.alloc(
          dice.between(0, 60_000),
          dice.pick([Buffer.from([0x0a, 0]), Buffer.from([0x0b]), Buffer.from([0xff])]),
        )
      : mutatedBytes(dice, dice.pick(SAMPLES));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(frame.length, 1);
    const whole = Buffer.concat([head, frame]);
    return { bytes: dice.chance(0.2) ? mutatedBytes(dice, whole) : whole, piece: dice.between(1, 5_000) };
  },
  run({ bytes, piece }) {
    const reader = new FrameReader(defaultServerLimits.frameBytes);
    for (let at = 0; at < bytes.length; at += piece) {
      reader.push(bytes.subarray(at, at + piece));
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) read(frame);
    }
  },
  allows: (thrown) => thrown instanceof Undecodable || thrown instanceof CallFailure,
  show: ({ bytes, piece }) => `${bytes.toString('base64')} in pieces of ${piece}`,
};

/** What an agent says in the metadata of its call. */
export const metadata: FuzzTarget<Record<string, string | string[]>> = {
  name: 'metadata',
  make(dice) {
    const value = () => (dice.chance(0.1) ? [anyText(dice), anyText(dice)] : anyText(dice));
    const headers: Record<string, string | string[]> = {};
    if (dice.chance(0.8)) headers['plumb-host'] = value();
    if (dice.chance(0.8)) headers.authorization = dice.chance(0.5) ? `Bearer ${anyText(dice)}` : value();
    if (dice.chance(0.8)) headers['plumb-protocol'] = dice.chance(0.7) ? `${dice.between(0, 9)}` : value();
    if (dice.chance(0.8)) headers['plumb-types'] = anyBytes(dice, 200).toString('latin1');
    return headers;
  },
  run: (headers) => readCallMetadata(headers),
  allows: isRefusal,
};
