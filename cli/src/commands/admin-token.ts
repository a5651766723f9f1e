import { terminal } from '@plumb/schemas/meta/error.ts';
import { type Command, parseCommand, withSession } from '../command.ts';
import { updateKubeconfig } from '../kubeconfig-file.ts';

export const adminToken: Command = {
  usage: `plumb admin-token rotate

The server makes another token; the one before is void at once, and watches that it opened end. The kubeconfig in the
server's data folder holds the new one, and so does the kubeconfig that this command was given. Copies elsewhere are to
be replaced.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {});
    if (positionals.join(' ') !== 'rotate') throw terminal('BadArgument', 'say plumb admin-token rotate');
    return withSession(values, surroundings, async ({ client, access }) => {
      const { token } = await client.send('POST', '/apis/plumb.dev/v1/admintoken/rotate', { body: {} });
      surroundings.out('the administrator has another token; the one before is void\n');
      const path = access.user?.path;
      if (await updateKubeconfig(access, { token })) {
        surroundings.out(`${path} holds the new one; replace copies of it elsewhere\n`);
        return 0;
      }
      surroundings.err(
        `${path} takes its token from elsewhere and was not changed: take the kubeconfig from the server's data folder\n`,
      );
      return 1;
    });
  },
};
