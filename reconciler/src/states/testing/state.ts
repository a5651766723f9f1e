/** States for tests: a store with objects in it, and states as Terraform writes them. */
import { type Ambient, API_GROUP_VERSION, type PlumbObject, realAmbient } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { encodeObject } from '../../store/object-codec.ts';
import type { Store } from '../../store/store.ts';
import { factsOf } from '../content.ts';
import type { Place } from '../parts.ts';
import { objectKey } from '../standing.ts';
import { type StatesOptions, TerraformStates } from '../states.ts';

export const LINEAGE = '5f3b7e0a-0000-4000-8000-000000000001';
export const PROD: Place = { namespace: 'default', name: 'prod' };
export const ANNA = { user: 'anna', address: '192.0.2.1' };
export const BERT = { user: 'bert', address: '192.0.2.2' };

export function stateText(
  serial: number,
  more: { lineage?: string; filler?: string; resources?: number } = {},
): string {
  const { lineage = LINEAGE, filler = '', resources = 1 } = more;
  const instances = Array.from({ length: resources }, (_, index) => ({
    attributes: { id: `${index}`, input: filler },
  }));
  return JSON.stringify({
    ...{ version: 4, terraform_version: '1.11.4', serial, lineage, outputs: {} },
    resources: [{ mode: 'managed', type: 'terraform_data', name: 'x', instances }],
    check_results: null,
  });
}

export function statesOver(store: Store, limits: Partial<StatesOptions['limits']> = {}, clock = new FakeClock(1e12)) {
  const ambient: Ambient = { ...realAmbient(), clock };
  return new TerraformStates({ store, ambient, limits: { ...defaultServerLimits, ...limits } });
}

export async function makeObject(
  store: Store,
  place: Place,
  more: Partial<PlumbObject['metadata']> = {},
): Promise<PlumbObject> {
  const object: PlumbObject = {
    apiVersion: API_GROUP_VERSION,
    kind: 'TerraformState',
    metadata: {
      ...{ ...place, uid: `uid-${place.name}`, resourceVersion: '', generation: 1 },
      ...{ creationTimestamp: '2001-01-01T00:00:00Z', finalizers: ['plumb.dev/terraformstate'], ...more },
    },
    spec: {},
  };
  await store.commit({ preconditions: [], ops: [{ type: 'put', key: objectKey(place), value: encodeObject(object) }] });
  return object;
}

export function writes(states: TerraformStates, text: string, { place = PROD, who = ANNA, lockId = '' } = {}) {
  return states.write(place, Buffer.from(text), factsOf(text), { ...who, lockId });
}

export async function reads(states: TerraformStates, place = PROD): Promise<string> {
  return (await states.read(place)).toString('utf8');
}

export const wantedLock = (id: string) => ({
  ...{ id, operation: 'OperationTypeApply', info: '', who: 'anna@desk', version: '1.11.4', path: '' },
});
