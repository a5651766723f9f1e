import manifest from '../../package.json' with { type: 'json' };
import { type Command, parseCommand, withSession } from '../command.ts';

export const version: Command = {
  usage: `plumb version [--client]

The version of this command, and of the server that it would ask. --client: of this command alone.
`,
  async run(argv, surroundings) {
    const { values } = parseCommand(argv, { client: { type: 'boolean', default: false } });
    surroundings.out(`plumb ${manifest.version}\n`);
    if (values.client) return 0;
    return withSession(values, surroundings, async ({ client }) => {
      const { gitVersion } = await client.send('GET', '/version');
      surroundings.out(
        `server ${String(gitVersion).replace(/^.*\+plumb-/, '')}, as Kubernetes ${String(gitVersion).replace(/\+.*$/, '')}\n`,
      );
      return 0;
    });
  },
};
