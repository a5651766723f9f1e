import { eventIn } from '@plumb/client/client.ts';
import { ApiError, errorOfEvent, retryAfter } from '@plumb/client/errors.ts';
import { type Change, Position } from '@plumb/client/follow.ts';
import { jsonLines, parsed } from '@plumb/client/incoming.ts';
import { contextIn } from '@plumb/client/kubeconfig-yaml.ts';
import { stringify } from 'yaml';
import { anyBytes, anyJson, anyText, mutatedBytes, mutatedJson, mutatedText } from '../generate.ts';
import { type FuzzTarget, Wrong } from '../target.ts';

const SECRET = 'hush-hush-hush';
const KUBECONFIG = {
  'current-context': 'a',
  contexts: [{ name: 'a', context: { cluster: 'c', user: 'u', namespace: 'n' } }],
  clusters: [
    {
      name: 'c',
      cluster: {
        server: 'https://plumb:7443',
        'certificate-authority-data': 'AAAA',
        'tls-server-name': 'x',
        'proxy-url': 'http://p',
        extensions: [{ name: 'plumb.dev/servers', extension: { servers: ['https://other:1'] } }],
      },
    },
  ],
  users: [
    { name: 'u', user: { token: SECRET } },
    {
      name: 'v',
      user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './x', args: ['a'], env: [] } },
    },
  ],
};
const WORDS = [...Object.keys(KUBECONFIG), 'name', 'a', 'u', 'v', 'c', 'cluster', 'user', 'exec', 'server', 'https://'];

/** kubeconfig files: what is wrong is said, and no token of theirs. */
export const kubeconfig: FuzzTarget<string> = {
  name: 'kubeconfig',
  make(dice) {
    const text = stringify(dice.chance(0.8) ? mutatedJson(dice, KUBECONFIG, WORDS) : KUBECONFIG);
    return (dice.chance(0.3) ? mutatedText(dice, text, WORDS) : text).slice(0, 16_384);
  },
  run(text) {
    try {
      const { endpoints } = contextIn([{ path: '/nowhere/config', text, distrust: undefined }], 'Help.');
      return endpoints.every((one) => URL.canParse(one)) ? undefined : new Wrong(`asks ${endpoints.join()}`);
    } catch (error) {
      if (String((error as Error).message).includes(SECRET)) return new Wrong('tells the token');
      throw error;
    }
  },
};

const EVENTS = [
  { type: 'ADDED', object: { metadata: { name: 'a', resourceVersion: '7' } } },
  {
    type: 'BOOKMARK',
    object: { metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } } },
  },
  {
    type: 'MODIFIED',
    object: { kind: 'Table', rows: [{ object: { metadata: { name: 'a', resourceVersion: '10' } } }] },
  },
  { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', details: { causes: [{ field: 'a' }] } } },
];
const MOST = 4_096;
const MOST_BYTES = 65_536;

/** What a server sends to one who watches, in pieces of any size. */
export const watching: FuzzTarget<Buffer[]> = {
  name: 'watching',
  make(dice) {
    const events = Array.from({ length: dice.between(0, 6) }, () => dice.pick(EVENTS));
    const lines = events.map((one) =>
      JSON.stringify(dice.chance(0.4) ? mutatedJson(dice, one, ['metadata', 'object', 'type', 'rows']) : one),
    );
    if (dice.chance(0.1)) lines.push(JSON.stringify(anyJson(dice)), anyText(dice));
    const whole = Buffer.from(`${lines.join('\n')}\n`);
    const bytes = (dice.chance(0.3) ? mutatedBytes(dice, whole) : whole).subarray(0, MOST_BYTES);
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = dice.between(1, dice.chance(0.5) ? 20 : 5_000);
      parts.push(bytes.subarray(at, at + size));
      at += size;
    }
    if (dice.chance(0.1)) parts.push(anyBytes(dice, 100));
    return parts;
  },
  async run(parts) {
    const status = new ApiError(500, parsed(Buffer.concat(parts).toString()), 'GET /');
    if (typeof status.message !== 'string' || status.message === '') return new Wrong('says nothing');
    const wait = retryAfter(parts[0]?.toString('latin1'), 0, 1000);
    if (wait !== undefined && !(wait >= 0 && wait <= 1000)) return new Wrong(`waits ${wait}`);
    const incoming = { status: 200, headers: {}, body: pieces(parts), leave() {} };
    const position = new Position(undefined);
    const seen: Change[] = [];
    for await (const line of jsonLines(incoming, MOST, 'it')) {
      const { type, object } = eventIn(line, 'it');
      if (type === 'ERROR') throw errorOfEvent(object, 'it');
      position.see(type, object);
      if (type !== 'BOOKMARK') seen.push({ type, object });
      const { revision } = position;
      if (revision !== undefined && typeof revision !== 'string') return new Wrong(`goes on after ${revision}`);
    }
    return seen;
  },
  show: (parts) => JSON.stringify(parts.map((part) => part.toString('latin1'))),
};

async function* pieces(parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* parts;
}
