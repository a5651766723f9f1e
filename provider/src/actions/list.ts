/** Actions: what is done once, at a person's word, and declares nothing. Each says what it does while it does it. */
import type { Client } from '@plumb/client/client.ts';
import type { Deadline } from '@plumb/client/deadline.ts';
import { collectionOf, type Reference, readObject, title } from '@plumb/client/objects.ts';
import { untilReady } from '@plumb/client/ready.ts';
import { gitSource, host, instance, type KindDefinition, type PlumbObject, terminal } from '@plumb/schemas';
import { DEFAULT_PROJECT, type TerraformAttribute } from '@plumb/schemas/project/terraform.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { nameDiagnostics } from '../value/names.ts';
import type { ObjectValue } from '../value/value.ts';

export interface Action {
  description: string;
  attributes: readonly TerraformAttribute[];
  /** What is wrong with a configuration, as far as it is known. */
  check(config: ObjectValue): Diagnostic[];
  /** Does it. The configuration is wholly known. Yields a sentence for each thing that it has done. */
  run(client: Client, config: ObjectValue, limit: Deadline): AsyncGenerator<string>;
}

/** Under which name actions write. */
const MANAGER = 'terraform-action';
const MERGE_PATCH = 'application/merge-patch+json';
const API = '/apis/plumb.dev/v1';

const text = (name: string, description: string): TerraformAttribute => ({
  ...{ name, field: name, description, type: 'string' },
});

/** An action on one object. */
function on(
  kind: KindDefinition,
  description: string,
  run: (client: Client, ref: Reference, live: PlumbObject, limit: Deadline) => AsyncGenerator<string>,
): Action {
  const namespaced = kind.scope === 'Namespaced';
  const attributes: TerraformAttribute[] = [{ ...text('name', `Name of the ${kind.kind}.`), required: true }];
  if (namespaced)
    attributes.push({ ...text('project', `Its project. Without it: ${DEFAULT_PROJECT}.`), optional: true });
  return {
    description,
    attributes,
    check: (config) => nameDiagnostics(config, ['name', 'project'], kind.names),
    async *run(client, config, limit) {
      const namespace = namespaced ? { namespace: String(config.project ?? DEFAULT_PROJECT) } : {};
      const ref: Reference = { kind, name: String(config.name), ...namespace };
      const live = await readObject(client, ref, limit);
      if (!live) throw terminal('NotFound', `There is no ${title(ref)}.`);
      yield* run(client, ref, live, limit);
    },
  };
}

/** Changes fields of the spec of that very object. */
async function patch(
  client: Client,
  ref: Reference,
  { metadata: { uid } }: PlumbObject,
  spec: object,
  limit: Deadline,
): Promise<PlumbObject> {
  const path = `${collectionOf(ref)}/${encodeURIComponent(ref.name)}?fieldManager=${MANAGER}`;
  const body = { metadata: { uid }, spec };
  return (await client.json({ method: 'PATCH', path, body, type: MERGE_PATCH }, limit)) as PlumbObject;
}

const cordoned = (unschedulable: boolean, description: string, done: string): Action =>
  on(host, description, async function* (client, ref, live, limit) {
    await patch(client, ref, live, { unschedulable }, limit);
    yield `${title(ref)} ${done}.`;
  });

export const actions: Readonly<Record<string, Action>> = {
  plumb_power_cycle: on(
    instance,
    'Stops an instance, and starts it again once it is stopped. One that is declared to be stopped is refused.',
    async function* (client, ref, live, limit) {
      if (live.spec.power === 'Stopped') throw terminal('Stopped', `${title(ref)} is declared to be stopped.`);
      const stopping = await patch(client, ref, live, { power: 'Stopped' }, limit);
      try {
        await untilReady(client, ref, stopping, limit);
        yield `${title(ref)} is stopped.`;
      } finally {
        // Also when its stop was not seen: it must not stay off because somebody was impatient.
        const again = client.deadlineDespiteStop(AGAIN_MS);
        try {
          await patch(client, ref, live, { power: 'Running' }, again);
        } finally {
          again.end();
        }
      }
      const started = await readObject(client, ref, limit);
      if (!started) throw terminal('Deleted', `${title(ref)} was deleted meanwhile.`);
      await untilReady(client, ref, started, limit);
      yield `${title(ref)} runs again.`;
    },
  ),
  plumb_retry: on(
    instance,
    'Tries what failed of an instance again at once, also if it was undone, as plumb flows retry does.',
    async function* (client, ref, { metadata: { uid } }, { signal }) {
      await client.send('POST', `${API}/flows/${encodeURIComponent(uid)}/retry`, { body: {}, signal });
      yield `${title(ref)} is tried again.`;
    },
  ),
  plumb_cordon: cordoned(
    true,
    'A host gets no new instances; those that it has stay. Where its configuration says unschedulable, the next apply decides.',
    'is cordoned',
  ),
  plumb_uncordon: cordoned(false, 'A host gets new instances again.', 'gets new instances again'),
  plumb_git_sync: on(
    gitSource,
    'Looks at the repository of a GitSource at once.',
    async function* (client, ref, _live, { signal }) {
      const path = `${API}/namespaces/${encodeURIComponent(ref.namespace!)}/gitsyncs`;
      await client.send('POST', path, { body: { name: ref.name }, signal });
      yield `The repository of ${title(ref)} is looked at.`;
    },
  ),
};

/** How long a server that is out of reach is asked to start an instance again. */
const AGAIN_MS = 30_000;

/** Throws a terminal `UnknownType`. */
export function actionOf(type: string): Action {
  if (Object.hasOwn(actions, type)) return actions[type]!;
  throw terminal('UnknownType', `This provider has no action ${type}.`);
}
