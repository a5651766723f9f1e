import { parseArgs } from 'node:util';
import { ENCODINGS, type Encoding } from './kubernetes/objects.ts';
import type { PeerName } from './result.ts';

/** Those that we are measured beside. */
export type Other = Exclude<PeerName, 'plumb'>;
const OTHERS: readonly Other[] = ['kubernetes', 'ganeti'];

export interface PeerRunOptions {
  peers: Other[];
  sizes: number[];
  ganetiSizes: number[];
  rounds: number;
  hosts: number;
  encoding: Encoding;
}

export const USAGE = `npm run bench -- peers [--rounds N] [--sizes N,…] [--peers NAME,…] [--hosts N] [--ganeti-sizes N,…] [--encoding NAME]

Creates as many things at once on us and on others, in turns, and keeps the results in bench/results/peers.md and
peers.json. bench/peers/README.md says how the others are built and set, and what cannot be measured.

  --rounds N          in each of them all start anew with an empty store, one after the other; default 3
  --sizes N,…         of bursts; those of up to 1,000 are repeated three times in each round; default 500,10000
  --peers NAME,…      beside whom: ${OTHERS.join(', ')}; default both
  --hosts N           simulated hosts, or fake nodes; default 1000
  --ganeti-sizes N,…  of bursts on Ganeti, each once in each round on a new cluster; default 100
  --encoding NAME     of the pods that are sent: ${ENCODINGS.join(' or ')}; default protobuf

Needs Go for Kubernetes, which is built once (six minutes on two cores), and root for Ganeti, which gets a folder and namespaces
of its own. 3 rounds of 500 and 10,000 take about a quarter of an hour.
`;

/** Undefined: help is asked for. Throws an Error whose message is for the person who typed it. */
export function parsePeerCommand(argv: string[]): PeerRunOptions | undefined {
  const { values } = parseArgs({
    args: argv,
    options: {
      peers: { type: 'string', default: OTHERS.join(',') },
      sizes: { type: 'string', default: '500,10000' },
      'ganeti-sizes': { type: 'string', default: '100' },
      rounds: { type: 'string', default: '3' },
      hosts: { type: 'string', default: '1000' },
      encoding: { type: 'string', default: 'protobuf' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const encoding = ENCODINGS.find((one) => one === values.encoding);
  if (!encoding) throw new Error(`--encoding is ${ENCODINGS.join(' or ')}, not ${values.encoding}`);
  return {
    peers: values.peers.split(',').map(other),
    sizes: values.sizes.split(',').map((size) => positive('sizes', size)),
    ganetiSizes: values['ganeti-sizes'].split(',').map((size) => positive('ganeti-sizes', size)),
    rounds: positive('rounds', values.rounds),
    hosts: positive('hosts', values.hosts),
    encoding,
  };
}

function other(name: string): Other {
  const found = OTHERS.find((one) => one === name);
  if (!found) throw new Error(`${name}: no such peer; there are ${OTHERS.join(' and ')}`);
  return found;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${name}: whole numbers of at least 1, not ${text}`);
}
