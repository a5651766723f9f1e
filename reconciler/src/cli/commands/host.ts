import { terminal } from '@plumb/schemas';
import { type Command, parseCommand, withSession } from '../command.ts';

const READMISSIONS = '/apis/plumb.dev/v1/readmissions';

interface Readmission {
  metadata: { name: string };
  fingerprint: string;
  address: string;
}

export const host: Command = {
  summary: 'let a host in that lost its credential',
  usage: `plumb host readmit NAME [--credential FINGERPRINT]

readmit: the agent that asks to be let in as this host is the host: it has its name from now on, and what runs there stays. For
an agent that lost what it kept, or was deleted by mistake. Its log says the fingerprint of its credential.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, { credential: { type: 'string' } });
    const [verb, name, ...more] = positionals;
    if (name === undefined || more.length > 0 || verb !== 'readmit')
      throw terminal('BadArgument', 'plumb host readmit NAME; plumb host --help says more');
    return withSession(values, surroundings, async ({ client }) => {
      const body = { host: name, credential: values.credential };
      const { fingerprint, address }: Readmission = await client.send('POST', READMISSIONS, { body });
      surroundings.out(
        `host ${name} was let in with the credential ${fingerprint}, at ${address || 'an unknown address'}\n`,
      );
      return 0;
    });
  },
};
