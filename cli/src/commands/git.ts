/** What a person says of GitSources. `plumb git` and `plumb gitsource` are the same. */
import type { GitSource } from '@plumb/schemas';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { type Command, parseCommand, type Session, withSession } from '../command.ts';
import type { Surroundings } from '../surroundings.ts';

const project = (namespace: string) => `/apis/plumb.dev/v1/namespaces/${encodeURIComponent(namespace)}`;

export const git: Command = {
  usage: `plumb git sync NAME                   have the repository of a GitSource of the project (-n) looked at now
plumb gitsource approve NAME          show what waits to be deleted, because it could be an accident
plumb gitsource approve NAME --yes    let exactly that be deleted
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, { yes: { type: 'boolean' } });
    const [verb, name, ...more] = positionals;
    return withSession(values, surroundings, async (session) => {
      if (verb === 'sync' && name !== undefined && more.length === 0) return sync(session, surroundings, name);
      if (verb === 'approve' && name !== undefined && more.length === 0)
        return approve(session, surroundings, name, values.yes === true);
      throw terminal('BadArgument', 'plumb git sync NAME, or plumb gitsource approve NAME [--yes]');
    });
  },
};

async function sync({ client, namespace }: Session, { out }: Surroundings, name: string): Promise<number> {
  await client.send('POST', `${project(namespace)}/gitsyncs`, { body: { name } });
  out(`the repository of GitSource ${namespace}/${name} is looked at\n`);
  return 0;
}

/** What was shown is what is approved, whatever a later commit says. Ends with 1 when nothing was approved. */
async function approve(session: Session, { out }: Surroundings, name: string, yes: boolean): Promise<number> {
  const { client, namespace } = session;
  const path = `${project(namespace)}/gitsources/${encodeURIComponent(name)}`;
  const { status }: GitSource = await client.send('GET', path);
  const pending = status?.pendingPrune;
  if (!pending) {
    out(`no deletion of GitSource ${namespace}/${name} waits for anybody\n`);
    return 0;
  }
  const { digest, because, count = 0, objects = [] } = pending;
  const more = count > objects.length ? `  and ${count - objects.length} more\n` : '';
  out(`${count} objects would be deleted, and you are asked since ${because}:\n`);
  out(`${objects.map((one) => `  ${one}\n`).join('')}${more}`);
  if (!yes) {
    out('nothing was approved: --yes does it\n');
    return 1;
  }
  await client.send('POST', `${project(namespace)}/gitapprovals`, { body: { name, digest } });
  out(`approved: ${count} objects are deleted\n`);
  return 0;
}
