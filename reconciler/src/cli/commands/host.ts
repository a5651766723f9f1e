import { terminal } from '@plumb/schemas';
import { type Command, parseCommand, withSession } from '../command.ts';

const FENCES = '/apis/plumb.dev/v1/fences';
const READMISSIONS = '/apis/plumb.dev/v1/readmissions';

interface Readmission {
  metadata: { name: string };
  fingerprint: string;
  address: string;
}

interface Fence {
  instances: number;
}

export const host: Command = {
  summary: 'let a host in that lost its credential; say that one is off',
  usage: `plumb host readmit NAME [--credential FINGERPRINT]
plumb host fence NAME --confirmed-off

readmit: the agent that asks to be let in as this host is the host: it has its name from now on, and what runs there stays. For
an agent that lost what it kept, or was deleted by mistake. Its log says the fingerprint of its credential.
fence: the host is off, and stays off until what ran there may be lost: instances with spec.allowDataLoss go on elsewhere with a
new disk, others can be deleted. When the host is back, it removes what went on elsewhere and is as any other again.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {
      credential: { type: 'string' },
      'confirmed-off': { type: 'boolean', default: false },
    });
    const [verb, name, ...more] = positionals;
    if (name === undefined || more.length > 0 || (verb !== 'readmit' && verb !== 'fence'))
      throw terminal('BadArgument', 'plumb host readmit NAME, or fence NAME; plumb host --help says more');
    if (verb === 'fence' && !values['confirmed-off'])
      throw terminal(
        'BadArgument',
        `a host that still runs would write beside its successor: make sure that ${name} is off, then say --confirmed-off`,
      );
    return withSession(values, surroundings, async ({ client }) => {
      if (verb === 'fence') {
        const { instances }: Fence = await client.send('POST', FENCES, { body: { host: name, confirmedOff: true } });
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
