/** Built-in kinds, whose fields are those of the object itself. */
import { kindByName, type PlumbObject } from '@plumb/schemas';
import { terraformKind } from '@plumb/schemas/project/terraform.ts';
import { expect, test } from 'vitest';
import { checkConfig } from './check.ts';
import { differs, draftOf, stateOf } from './object.ts';
import { attributePath } from './path.ts';
import { planResource } from './plan.ts';

const secret = terraformKind(kindByName('Secret')!);
const binding = terraformKind(kindByName('RoleBinding')!);

const config = (data: Record<string, string>) => ({ name: 'web', project: 'default', data });

test('a Secret is sent, read back and changed by its own fields, and nothing differs in between', () => {
  const planned = planResource(secret, config({ a: 'YQ==' }), null).state;
  expect(draftOf(secret, planned)).toEqual({
    metadata: { name: 'web', namespace: 'default' },
    type: 'Opaque',
    data: { a: 'YQ==' },
  });
  const metadata = { name: 'web', namespace: 'default', uid: 'u' };
  const object = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: { a: 'YQ==' } };
  const state = stateOf(secret, object as unknown as PlumbObject, planned);
  expect(state).toMatchObject({ type: 'Opaque', data: { a: 'YQ==' }, status: { uid: 'u' } });
  expect(differs(secret, state, planResource(secret, config({ a: 'YQ==' }), state).state)).toBe(false);
  const next = planResource(secret, config({ b: 'Yg==' }), state);
  expect(differs(secret, state, next.state)).toBe(true);
  expect(draftOf(secret, next.state)).toMatchObject({ data: { b: 'Yg==' } });
  expect(next.requiresReplace).toEqual([]);
  const tls = planResource(secret, { ...config({}), type: 'kubernetes.io/tls' }, state);
  expect(tls.requiresReplace).toEqual([[{ attribute: 'type' }]]);
});

test('its values are sensitive, and what is wrong is told at its attribute without them', () => {
  expect(secret.resource.find(({ name }) => name === 'data')).toMatchObject({ sensitive: true });
  expect(secret.resource.some(({ name }) => name === 'string_data')).toBe(false);
  const [wrong] = checkConfig(secret, config({ a: 'hunter2!' }));
  expect(wrong!.path).toEqual([{ attribute: 'data' }, { key: 'a' }]);
  expect(JSON.stringify(wrong)).not.toContain('hunter2');
  expect(attributePath('data[a]', secret).steps).toEqual([{ attribute: 'data' }, { key: 'a' }]);
});

test('the groups of a binding are what the server says: no attribute differs from what was written', () => {
  const written = {
    name: 'b',
    project: 'default',
    role_ref: { kind: 'Role', name: 'r' },
    subjects: [{ kind: 'User', name: 'u' }],
  };
  const planned = planResource(binding, written, null).state;
  const group = 'rbac.authorization.k8s.io';
  const object = {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata: { name: 'b', namespace: 'default', uid: 'u' },
    roleRef: { apiGroup: group, kind: 'Role', name: 'r' },
    subjects: [{ kind: 'User', apiGroup: group, name: 'u' }],
  };
  const state = stateOf(binding, object as unknown as PlumbObject, planned);
  expect(differs(binding, state, planResource(binding, written, state).state)).toBe(false);
  expect(checkConfig(binding, written)).toEqual([]);
});
