/** What a person says of a state: `POST …/terraformstates/prod/rollback` and `…/acknowledge`. */
import { API_GROUP, API_VERSION, terraformState } from '@plumb/schemas';
import type { SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { StateLocked } from '../../states/refusal.ts';
import type { TerraformStates } from '../../states/states.ts';
import { schemaBody } from '../body/schema-body.ts';
import type { Call } from '../call.ts';
import { warningHeader } from '../modify.ts';
import { refuseDryRun, writeOptions } from '../options.ts';
import { json, type Reply } from '../reply.ts';
import type { Served, Subresource } from '../served.ts';

const group = { group: API_GROUP, version: API_VERSION };
const ROLLBACK: SchemaNode = {
  type: 'object',
  additionalProperties: false,
  required: ['serial'],
  properties: { serial: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } },
};
const NOTHING: SchemaNode = { type: 'object', additionalProperties: false };

/** The kind as it is served, with what is said of states beside their objects. */
export function withStates(served: Served, states: TerraformStates): Served {
  if (served.names.plural !== terraformState.plural || served.names.group !== API_GROUP) return served;
  const { create } = served.verbs;
  return {
    ...served,
    verbs: { ...served.verbs, ...(create ? { create: async (call) => warned(states, call, await create(call)) } : {}) },
    subresources: { rollback: rollback(states), acknowledge: acknowledge(states) },
  };
}

function rollback(states: TerraformStates): Subresource {
  const create = async (call: Call) => {
    const { serial } = (await said(call, ROLLBACK)) as { serial: number };
    const { user, source } = call.request;
    const became = await states.rollback(placeOf(call), serial, { user: user!.name, address: source.address });
    return success(`the state has what serial ${serial} had, as serial ${became}`, became);
  };
  return { names: { ...group, kind: 'TerraformStateRollback' }, verbs: { create } };
}

function acknowledge(states: TerraformStates): Subresource {
  const create = async (call: Call) => {
    await said(call, NOTHING);
    const serial = await states.acknowledge(placeOf(call));
    return success(`Terraform can use the state, at serial ${serial}`, serial);
  };
  return { names: { ...group, kind: 'TerraformStateAcknowledgement' }, verbs: { create } };
}

/** One that is made where another one was does not begin by itself. */
async function warned(states: TerraformStates, call: Call, reply: Reply): Promise<Reply> {
  if (reply.status !== 201 || call.request.wrote === false) return reply;
  const blocked = await states.standing(placeOf(call)).then(
    (standing) => standing.blocked,
    (error) => (error instanceof StateLocked ? error : undefined),
  );
  if (!blocked) return reply;
  const before = reply.headers?.warning;
  const warning = warningHeader([blocked.message]);
  return { ...reply, headers: { ...reply.headers, warning: before === undefined ? warning : `${before}, ${warning}` } };
}

async function said({ request }: Call, schema: SchemaNode): Promise<unknown> {
  const { dryRun, level } = writeOptions(request.query, 'CreateOptions');
  if (dryRun) refuseDryRun(request.path);
  return schemaBody(request, schema, level, () => {});
}

function placeOf({ namespace = '', name }: Call) {
  return { namespace, name };
}

function success(message: string, serial: number): Reply {
  return json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', message, details: { serial } });
}
