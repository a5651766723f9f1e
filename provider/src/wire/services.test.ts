import { expect, test } from 'vitest';
import { encodedOnce, providerService } from './services.ts';

const { responseSerialize: serialize, responseDeserialize: deserialize } = providerService.GetMetadata!;

test('a reply that stays as it is is encoded once; any other each time, as it is then', () => {
  const reply = { resources: [{ typeName: 'plumb_zone' }] };
  const first = serialize(reply);
  reply.resources.push({ typeName: 'plumb_host' });
  expect(deserialize(serialize(reply))).toMatchObject({ resources: [{}, { typeName: 'plumb_host' }] });
  const constant = encodedOnce({ resources: [{ typeName: 'plumb_zone' }] });
  expect(serialize(constant)).toEqual(first);
  expect(serialize(constant)).toBe(serialize(constant));
});
