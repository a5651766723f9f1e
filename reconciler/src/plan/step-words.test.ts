import type { HostResource } from '@plumb/schemas';
import { expect, it } from 'vitest';
import { inWords, stepIdWords, stepWords } from './step-words.ts';

const uid = '01a22d64-8ce8-7c2f-9074-ac788657378a';
const network = '01a22d64-8c44-72ee-b3e2-6c4cea982ead';

it.each([
  ['make', 'disk', `${uid}.root`, 'make disk root'],
  ['make', 'seed', `${uid}.seed`, 'make seed'],
  ['remove', 'port', `${uid}.eth0`, 'remove port eth0'],
  ['change', 'domain', uid, 'change domain'],
  ['make', 'image', 'dc17ecbda0b52251ff9c0a80e36f69a81d16ac0ccab581a1f7ad1b2513c706b9', 'make image dc17ecbda0b5'],
  ['make', 'bridge', network, 'make bridge default/lab'],
  ['make', 'subnet', network, 'make subnet default/lab'],
])('says %s %s %s without a uid', (verb, kind, id, words) => {
  const resource = {
    kind,
    id,
    owner: kind === 'bridge' ? network : uid,
    spec: { name: 'default/lab' },
  } as unknown as HostResource;
  expect(stepWords({ id: `${verb} ${kind}/${id}`, resource })).toBe(words);
});

it('says what hosts say of resources in the words of the person whose they are', () => {
  const of = (kind: string, id: string, owner = uid, spec: object = {}) => ({ kind, id, owner, spec }) as HostResource;
  const resources = [
    of('disk', `${uid}.root`),
    of('disk', `${uid}.root-0a1b2c3d`),
    of('port', `${uid}.eth0`),
    of('bridge', network, network, { name: 'lab' }),
  ];
  const said = `port/${uid}.eth0 needs bridge/${network}; disk/${uid}.root-0a1b2c3d and disk/${uid}.root are there`;
  expect(inWords(said, resources)).toBe(
    'the interface eth0 needs the bridge of lab; the root disk and the root disk are there',
  );
});

it('tells a step of which only the id is known without the uid of its instance', () => {
  const uid = '01a22e1b-567d-702c-8dde-5b2a684edd75';
  expect(stepIdWords(`make disk/${uid}.root`, uid)).toBe('make disk root');
  expect(stepIdWords(`make seed/${uid}.seed`, uid)).toBe('make seed');
  expect(stepIdWords(`remove domain/${uid}`, uid)).toBe('remove domain');
  expect(stepIdWords(`make image/${'ab'.repeat(32)}`, uid)).toBe('make image abababababab');
  expect(stepIdWords('make bridge/another', uid)).toBe('make bridge/another');
  expect(stepIdWords('nonsense', uid)).toBe('nonsense');
});
