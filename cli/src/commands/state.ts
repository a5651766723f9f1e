/** States of Terraform that the server keeps: who works on them, their versions, never their content. */
import type { TerraformState } from '@plumb/schemas';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { type Command, parseCommand, type Session, withSession } from '../command.ts';
import type { Surroundings } from '../surroundings.ts';
import { renderTable } from '../table.ts';

const statesOf = (namespace: string) =>
  `/apis/plumb.dev/v1/namespaces/${encodeURIComponent(namespace)}/terraformstates`;

type Verb = (session: Session, surroundings: Surroundings, name: string, more: string[]) => Promise<number>;

const verbs: Readonly<Record<string, Verb>> = { list, show, create, rollback, acknowledge, unlock };

export const state: Command = {
  usage: `plumb state list                      states of the project (-n)
plumb state show NAME                 its lock and the versions that are kept
plumb state create NAME               make a state that Terraform can use; it answers nothing before
plumb state rollback NAME SERIAL      make an earlier version the newest
plumb state acknowledge NAME          say that it is good: after the server's store was put back, or when it was deleted and made anew
plumb state unlock NAME               take the lock away, as terraform force-unlock does
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {});
    const [word = '', name = '', ...more] = positionals;
    const verb = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
    if (!verb || (name === '') !== (word === 'list') || more.length !== (word === 'rollback' ? 1 : 0))
      throw terminal(
        'BadArgument',
        'plumb state list, show, create, rollback, acknowledge or unlock; --help says more',
      );
    return withSession(values, surroundings, (session) => verb(session, surroundings, name, more));
  },
};

async function list({ client, namespace }: Session, { out }: Surroundings): Promise<number> {
  const { items } = (await client.send('GET', statesOf(namespace))) as { items: TerraformState[] };
  const rows = items.map(({ metadata, status }) => [
    ...[metadata.name, String(status?.serial ?? ''), String(status?.resources ?? '')],
    ...[status?.lock?.who ?? '', status?.writtenAt ?? '', status?.conditions?.[0]?.reason ?? ''],
  ]);
  out(renderTable(['NAME', 'SERIAL', 'RESOURCES', 'LOCKED BY', 'WRITTEN', 'STANDS'], rows));
  return 0;
}

async function show({ client, namespace }: Session, { out }: Surroundings, name: string): Promise<number> {
  const { status }: TerraformState = await client.send('GET', `${statesOf(namespace)}/${encodeURIComponent(name)}`);
  const { lock, versions = [], conditions = [] } = status ?? {};
  for (const { type, status: is, message } of conditions) out(`${type}: ${is}, ${message}\n`);
  if (lock)
    out(
      `locked by ${lock.who} (user ${lock.user} from ${lock.address}) since ${lock.since}, ${lock.operation}, ID ${lock.id}\n`,
    );
  const rows = versions.map(({ serial, resources, bytes, terraformVersion, writtenAt, writtenBy }) =>
    [serial, resources, bytes, terraformVersion, writtenAt, writtenBy].map((value) => String(value ?? '')),
  );
  out(renderTable(['SERIAL', 'RESOURCES', 'BYTES', 'TERRAFORM', 'WRITTEN', 'BY'], rows));
  return 0;
}

async function create({ client, namespace }: Session, { out }: Surroundings, name: string): Promise<number> {
  const body = { apiVersion: 'plumb.dev/v1', kind: 'TerraformState', metadata: { name }, spec: {} };
  await client.send('POST', statesOf(namespace), { body });
  out(`made the state ${namespace}/${name}: its address is /terraform/states/${namespace}/${name} on the server\n`);
  return 0;
}

async function rollback(session: Session, { out }: Surroundings, name: string, [text]: string[]): Promise<number> {
  const serial = Number(text);
  if (!Number.isSafeInteger(serial) || serial < 0)
    throw terminal('BadArgument', `SERIAL must be a whole number, but is ${text}`);
  const { message } = await said(session, name, 'rollback', { serial });
  out(`${message}\n`);
  return 0;
}

async function acknowledge(session: Session, { out }: Surroundings, name: string): Promise<number> {
  const { message } = await said(session, name, 'acknowledge', {});
  out(`${message}\n`);
  return 0;
}

async function unlock({ client, namespace }: Session, { out }: Surroundings, name: string): Promise<number> {
  await client.send('UNLOCK', `/terraform/states/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`);
  out(`the state ${namespace}/${name} is not locked\n`);
  return 0;
}

function said({ client, namespace }: Session, name: string, what: string, body: object): Promise<{ message: string }> {
  return client.send('POST', `${statesOf(namespace)}/${encodeURIComponent(name)}/${what}`, { body });
}
