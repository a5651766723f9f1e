/** `/apis/plumb.dev/v1/flows`: what is under way, stuck or failed, and the two things that a person can do about it. */

import { resourceKey } from '@plumb/schemas';
import type { Extension } from '../api/extension.ts';
import type { Context } from '../controllers/controller.ts';
import { abandonFlow, retryFlow } from '../controllers/placed/release.ts';
import type { Journaled } from '../flow/journal.ts';
import { type FlowFailure, type FlowRecord, failureSentence } from '../flow/record.ts';
import { stepIdWords, stepWords } from '../plan/step-words.ts';

const PATH = '/apis/plumb.dev/v1/flows';

export function flowExtensions(context: Context): Extension[] {
  return [
    {
      method: 'GET',
      path: PATH,
      async handle() {
        const items = [...context.journal.all()].map((flow) => view(context, flow));
        return { body: { apiVersion: 'plumb.dev/v1', kind: 'FlowList', metadata: {}, items } };
      },
    },
    {
      method: 'GET',
      path: '/apis/plumb.dev/v1/namespaces/{namespace}/flows',
      async handle({ params }) {
        const items = [...context.journal.all()]
          .filter(({ record }) => context.read.byUid(record.uid)?.object.metadata.namespace === params.namespace)
          .map((flow) => view(context, flow));
        return { body: { apiVersion: 'plumb.dev/v1', kind: 'FlowList', metadata: {}, items } };
      },
    },
    {
      method: 'POST',
      path: `${PATH}/{uid}/retry`,
      judges: true,
      async handle({ params, authorize }) {
        authorize(about(context, params.uid!, 'retry'));
        await retryFlow(context, params.uid!);
        return { body: { kind: 'Status', apiVersion: 'v1', status: 'Success' } };
      },
    },
    {
      method: 'POST',
      path: `${PATH}/{uid}/abandon`,
      judges: true,
      async handle({ params, authorize }) {
        authorize(about(context, params.uid!, 'abandon'));
        await abandonFlow(context, params.uid!);
        return { body: { kind: 'Status', apiVersion: 'v1', status: 'Success' } };
      },
    },
  ];
}

/** Such a flow is of the project of its object; one whose object is gone, or that is not there, is of none. */
function about(context: Context, uid: string, subresource: string) {
  const namespace = context.read.byUid(uid)?.object.metadata.namespace ?? '';
  return { verb: 'create', resource: 'flows', subresource, name: uid, namespace };
}

/** A flow as people read it. Specs of resources stay inside: they may hold user data. */
function view(context: Context, { record, revision }: Journaled) {
  const object = context.read.byUid(record.uid)?.object;
  return {
    apiVersion: 'plumb.dev/v1',
    kind: 'Flow',
    metadata: { name: record.uid, resourceVersion: String(revision) },
    object: { kind: object?.kind, namespace: object?.metadata.namespace, name: object?.metadata.name },
    purpose: record.purpose,
    direction: record.direction,
    generation: record.generation,
    startedAt: new Date(record.startedAt).toISOString(),
    steps: record.plan.steps.map((step) => {
      const { host, verb, undo, disruption, why } = step;
      return { id: stepWords(step), host, verb, undo, disruption, why };
    }),
    notes: context.journal
      .notes(record.uid)
      .map((note) => ({ ...note, step: inStepWords(record, note.step), at: new Date(note.at).toISOString() })),
    ...(record.failure ? { failure: shown(record, record.failure, failureSentence(record.failure)) } : {}),
    ...(record.stuck ? { stuck: shown(record, record.stuck, record.stuck.message) } : {}),
  };
}

function shown(record: FlowRecord, failure: FlowFailure, message: string): FlowFailure {
  return { ...failure, message, ...(failure.step === undefined ? {} : { step: inStepWords(record, failure.step) }) };
}

/** What the step with this id is called. A flow keeps notes of earlier plans, and undoing has steps of its own. */
function inStepWords({ uid, plan, carried = [] }: FlowRecord, id: string): string {
  const step = [...plan.steps, ...carried].find((each) => id.endsWith(resourceKey(each.resource)));
  return step ? stepWords({ id, resource: step.resource }) : stepIdWords(id, uid);
}
