/** `plumb apply --atomic`: all manifests as one ChangeSet. */

import { settled } from '@plumb/client/settled.ts';
import { changeSet } from '@plumb/schemas/kinds/index.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { API_GROUP_VERSION } from '@plumb/schemas/meta/object.ts';
import type { Session } from './command.ts';
import { follow, type Target } from './follow.ts';
import { tellInterrupted } from './interrupt.ts';
import type { Manifest } from './manifests.ts';
import { collectionPath, isOwn, resourceByAlias } from './resources.ts';
import { StatusLine } from './status-line.ts';
import type { Surroundings } from './surroundings.ts';
import { printable } from './table.ts';

/** The server needs a moment beyond the deadline to return everything. */
const RETURN_MS = 120_000;

/** Exit code: 0 when all are Ready, 1 when everything was returned; what failed, and why, is told. */
export async function applyAtomic(
  session: Session,
  surroundings: Surroundings,
  manifests: readonly Manifest[],
  timeoutMs: number,
): Promise<number> {
  const core = manifests.find(({ resource }) => !isOwn(resource));
  if (core)
    throw terminal('BadArgument', `${core.object.kind} cannot be part of an atomic apply: apply it by itself first`);
  const resource = resourceByAlias('changeset');
  const most = (changeSet.spec.properties.objects as { maxItems: number }).maxItems;
  if (manifests.length > most)
    throw terminal(
      'BadArgument',
      `--atomic takes at most ${most} objects, and here are ${manifests.length}: apply them in parts, or without --atomic`,
    );
  const objects = manifests.map(({ defaulted: object, namespace }) => {
    const { name, labels, annotations } = object.metadata;
    return { kind: object.kind, metadata: { name, namespace, labels, annotations }, spec: object.spec };
  });
  const body = {
    apiVersion: API_GROUP_VERSION,
    kind: 'ChangeSet',
    metadata: { generateName: 'apply-' },
    spec: { objects, deadlineSeconds: Math.max(1, Math.ceil(timeoutMs / 1000)) },
  };
  const { metadata } = await session.client.send('POST', collectionPath(resource, session.namespace), { body });
  const target: Target = { resource, namespace: session.namespace, name: metadata.name };
  const stop = surroundings.interruptible();
  let code = 1;
  let waits = '';
  using line = new StatusLine(surroundings, () => waits);
  const say = (write: (text: string) => void, text: string) => {
    waits = '';
    line.aside(() => write(`changeset/${metadata.name} ${text}\n`));
  };
  const late = await follow({
    client: session.client,
    clock: surroundings.clock,
    timeoutMs: timeoutMs + RETURN_MS,
    targets: [target],
    stop,
    seen(_target, object) {
      if (!object) {
        say(surroundings.err, 'was deleted by someone else');
        return true;
      }
      const now = settled(object);
      if (now.state === 'waiting') {
        waits = printable(now.message);
        line.changed();
        return false;
      }
      if (now.state === 'ready') {
        code = 0;
        say(surroundings.out, `applied: all ${manifests.length} objects are ready`);
      } else say(surroundings.err, `failed: ${now.reason}: ${now.message}`);
      return true;
    },
  });
  if (stop.aborted) {
    line[Symbol.dispose]();
    return tellInterrupted(
      surroundings,
      `changeset/${metadata.name} goes on, and all of it comes back if it fails; plumb wait changeset ${metadata.name} waits again`,
    );
  }
  if (late.length > 0) say(surroundings.err, `is still being returned; see plumb describe changeset ${metadata.name}`);
  return code;
}
