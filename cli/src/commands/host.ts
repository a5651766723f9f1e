import { terminal } from '@plumb/schemas';
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

readmit: without a name, who asks to be let in as which host, from where, with the fingerprint of which credential. With one: the
agent that asks is the host; it has the name from now on, what it had before is void, and what runs there stays. For an agent
that lost what it kept, or was deleted by mistake. Where the name has a credential, or several ask, say the fingerprint (8 digits
of it at least); read it in the log of the agent on that host, since a stranger may ask as well.
fence: the host is off, and stays off until what ran there may be lost: instances with spec.allowDataLoss go on elsewhere with a
new disk, others can be deleted. When the host is back, it removes what went on elsewhere and is as any other again.
--evict: somebody speaks for it all the same and is not to be believed: its credential is void, and readmit alone lets an agent in.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {
      credential: { type: 'string' },
      'confirmed-off': { type: 'boolean', default: false },
      evict: { type: 'boolean' },
    });
    const [verb, name, ...more] = positionals;
    if (verb === 'readmit' && name === undefined)
      return withSession(values, surroundings, async ({ client }) => {
        listAsking((await client.send('GET', READMISSIONS)).items, surroundings);
        return 0;
      });
    if (name === undefined || more.length > 0 || (verb !== 'readmit' && verb !== 'fence'))
      throw terminal('BadArgument', 'plumb host readmit NAME, or fence NAME; plumb host --help says more');
    if (verb === 'fence' && !values['confirmed-off'])
      throw terminal(
        'BadArgument',
        `a host that still runs would write beside its successor: make sure that ${name} is off, then say --confirmed-off`,
      );
    return withSession(values, surroundings, async ({ client }) => {
      if (verb === 'fence') {
        const { instances }: Fence = await client.send('POST', FENCES, {
          body: { host: name, confirmedOff: true, evict: values.evict },
        });
        surroundings.out(`host ${name} is fenced: ${instances} instances of it may go on elsewhere or be deleted\n`);
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
