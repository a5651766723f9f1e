import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from '../../reconciler/src/api/testing/rig.ts';
import { declared, declaredName } from './declared.ts';

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

test('what is declared is named, and nothing else', async () => {
  expect(await declared(api.pki.kubeconfigFile)).toEqual([]);
  await api.ask('POST', `${V1}/zones`, { body: manifests.zone('home') });
  await api.ask('POST', `${V1}/namespaces/default/instances`, { body: manifests.instance('web-0') });
  const names = (await declared(api.pki.kubeconfigFile)).map(declaredName);
  expect(names).toEqual(['Instance default/web-0', 'Zone home']);
});
