import { terminal } from '@plumb/schemas/meta/error.ts';
import { age } from '@plumb/schemas/project/columns-age.ts';
import { type Command, parseCommand, withSession } from '../command.ts';
import type { Surroundings } from '../surroundings.ts';
import { renderTable } from '../table.ts';

const FENCES = '/apis/plumb.dev/v1/fences';
const READMISSIONS = '/apis/plumb.dev/v1/readmissions';

interface Readmission {
  metadata: { name: string };
  fingerprint: string;
  address: string;
  /** When it asked last. */
  asked: string;
  /** Why it was not let in. */
  reason: string;
}

interface Fence {
  instances: number;
}

export const host: Command = {
  usage: `plumb host readmit
plumb host readmit NAME [--credential FINGERPRINT]
plumb host fence NAME --confirmed-off [--evict]

readmit: for a host whose agent lost its credential, or whose Host was deleted by mistake.
  Without a name: lists the agents that ask to be let in, with the host name, address and credential fingerprint of each.
  With a name: accepts the agent that asks for that name. Its old credential is void; the guests on the host stay.
  --credential FINGERPRINT is required where the name has a credential, or where several agents ask for it. At least 8 digits;
  read them in the log of the agent on that host, since a stranger may ask, too.

fence: confirms that a host which is not connected is powered off. Instances with spec.allowDataLoss are made on other hosts,
  each with a new disk; the others wait for the host, and can be deleted. When the host is back, it first removes what was
  made elsewhere meanwhile.
  --evict: also voids the credential of the host, for an agent that is connected although the machine is off. After that only
  plumb host readmit lets an agent in under that name.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {
      credential: { type: 'string' },
      'confirmed-off': { type: 'boolean', default: false },
      evict: { type: 'boolean' },
    });
    const [verb, name, ...more] = positionals;
    if (verb === 'readmit' && name === undefined && values.credential !== undefined)
      throw terminal('BadArgument', 'name the host, too: plumb host readmit NAME --credential FINGERPRINT');
    if (verb === 'readmit' && name === undefined)
      return withSession(values, surroundings, async ({ client }) => {
        listAsking((await client.send('GET', READMISSIONS)).items, surroundings);
        return 0;
      });
    if (name === undefined || more.length > 0 || (verb !== 'readmit' && verb !== 'fence'))
      throw terminal(
        'BadArgument',
        'plumb host readmit [NAME], or plumb host fence NAME --confirmed-off; plumb host --help says more',
      );
    if (verb === 'fence' && !values['confirmed-off'])
      throw terminal(
        'BadArgument',
        `guests that still run on ${name} and their successors would use the same addresses and data: make sure that ${name} is off, then add --confirmed-off`,
      );
    return withSession(values, surroundings, async ({ client }) => {
      if (verb === 'fence') {
        const { instances }: Fence = await client.send('POST', FENCES, {
          body: { host: name, confirmedOff: true, evict: values.evict },
        });
        surroundings.out(fencedText(name, instances, values.evict === true));
        return 0;
      }
      const body = { host: name, credential: values.credential };
      const { fingerprint, address }: Readmission = await client.send('POST', READMISSIONS, { body });
      const whence = address || 'an unknown address';
      surroundings.out(`host ${name} was let in with the credential ${fingerprint}, at ${whence}\n`);
      return 0;
    });
  },
};

/** Pure. What the fence means for the instances of the host, and for its agent. */
export function fencedText(host: string, instances: number, evicted: boolean): string {
  const placed = `${instances} ${instances === 1 ? 'instance is' : 'instances are'} placed there.`;
  const next =
    instances === 0
      ? ''
      : ' With spec.allowDataLoss an instance is made elsewhere; without, it waits for the host, and can be deleted.';
  const credential = evicted ? `its credential is void: plumb host readmit ${host} lets an agent in again\n` : '';
  return `host ${host} is fenced; ${placed}${next}\n${credential}`;
}

function listAsking(asking: readonly Readmission[], { out, err, clock }: Surroundings): void {
  if (asking.length === 0) {
    err('no agent asks to be let in\n');
    return;
  }
  const rows = asking.map(({ metadata, fingerprint, address, asked, reason }) => [
    metadata.name,
    fingerprint,
    address || '<none>',
    `${age(clock.now() - Date.parse(asked))} ago`,
    reason,
  ]);
  out(renderTable(['Host', 'Fingerprint', 'Comes from', 'Asked', 'Refused for'], rows));
}
