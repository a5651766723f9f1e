import { expect, it } from 'vitest';
import { byNamespace, unknownTo } from './beside.ts';

const objects = [
  { kind: 'Instance', namespace: 'default', name: 'web-0' },
  { kind: 'Instance', namespace: 'lab', name: 'web-0' },
  { kind: 'L2Network', name: 'lab' },
];
const resource = (type: string, attributes: object, mode = 'managed') => ({ mode, type, instances: [{ attributes }] });
const state = (...resources: object[]) => JSON.stringify({ version: 4, resources });

it('is everything where Terraform has no state', () => {
  for (const none of ['', '\n', '{}', state()]) expect(unknownTo(none, objects)).toEqual(objects);
});

it('is what the state does not manage, by kind, project and name', () => {
  const managed = [
    resource('plumb_l2_network', { name: 'lab' }),
    resource('plumb_instance', { name: 'web-0', project: 'default' }),
    resource('other_instance', { name: 'web-0', project: 'lab' }),
    resource('plumb_instance', { name: 'web-0', project: 'lab' }, 'data'),
    { mode: 'managed', type: 'plumb_zone', instances: [{ attributes: null }] },
  ];
  expect(unknownTo(state(...managed), objects)).toEqual([objects[1]]);
});

it('is removed project by project, and last what belongs to none', () => {
  expect(byNamespace([objects[2]!, ...objects.slice(0, 2)])).toEqual([
    ['default', ['instance/web-0']],
    ['lab', ['instance/web-0']],
    [undefined, ['l2network/lab']],
  ]);
});
