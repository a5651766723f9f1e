import { terminal } from '@plumb/schemas/meta/error.ts';
import { type Command, parseCommand, type Session, withSession } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { updateKubeconfig } from '../kubeconfig-file.ts';
import type { Surroundings } from '../surroundings.ts';

const PATH = '/apis/plumb.dev/v1/authority';

interface View {
  pin: string;
  next?: { pin: string; takesOverAt: string };
  certificates: string;
}

export const authority: Command = {
  usage: `plumb authority [show]
plumb authority rotate [--overlap 7d]

rotate: the server makes another authority with another key. For the time of --overlap kubeconfigs hold both; then the
new one takes over, and the old key is gone. Said again, it changes that time: with --overlap 0s the new one takes over
at once. Agents follow by themselves, whenever they connect. The kubeconfig in the server's data folder and the one that
this command was given are written anew; replace copies elsewhere before the time is over.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, { overlap: { type: 'string', default: '7d' } });
    const [verb = 'show', ...rest] = positionals;
    if (rest.length > 0 || (verb !== 'show' && verb !== 'rotate'))
      throw terminal('BadArgument', 'say plumb authority show or plumb authority rotate');
    const overlapMs = parseDuration(values.overlap as string, '--overlap');
    return withSession(values, surroundings, async (session) => {
      if (verb === 'show') {
        surroundings.out(shown(await session.client.send('GET', PATH)));
        return 0;
      }
      return rotate(session, surroundings, overlapMs);
    });
  },
};

async function rotate({ client, access }: Session, surroundings: Surroundings, overlapMs: number): Promise<number> {
  const overlapSeconds = Math.ceil(overlapMs / 1000);
  const view: View = await client.send('POST', `${PATH}/rotate`, { body: { overlapSeconds } });
  surroundings.out(shown(view));
  if (!(await updateKubeconfig(access, { authority: view.certificates }))) {
    surroundings.err(
      `${access.cluster.path} takes its authority from elsewhere and was not changed: take the kubeconfig from the server's data folder\n`,
    );
    return 1;
  }
  const until = view.next ? ` before ${view.next.takesOverAt}` : '';
  surroundings.out(`${access.cluster.path} is written anew; replace copies of it elsewhere${until}\n`);
  return 0;
}

function shown({ pin, next }: View): string {
  const now = `authority ${pin}\n`;
  return next ? `${now}followed by ${next.pin} at ${next.takesOverAt}\n` : now;
}
