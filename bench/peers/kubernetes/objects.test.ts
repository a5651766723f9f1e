import { expect, test } from 'vitest';
import { pod } from './objects.ts';

test('A pod says the same in both encodings', () => {
  expect(JSON.parse(pod('a-1', 'json').toString())).toEqual({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a-1', namespace: 'default', labels: { made: 'by-the-benchmark' } },
    spec: {
      containers: [
        { name: 'tiny', image: 'images.invalid/tiny', resources: { requests: { cpu: '1', memory: '128Mi' } } },
      ],
    },
  });
  const bytes = pod('a-1', 'protobuf');
  expect(bytes.subarray(0, 4).toString()).toBe('k8s\0');
  const envelope = fields(bytes.subarray(4));
  expect(fields(envelope.get(1)![0]!).get(1)!.map(String)).toEqual(['v1']);
  expect(fields(envelope.get(1)![0]!).get(2)!.map(String)).toEqual(['Pod']);
  const decoded = fields(envelope.get(2)![0]!);
  const metadata = fields(decoded.get(1)![0]!);
  expect([metadata.get(1), metadata.get(3)].map(String)).toEqual(['a-1', 'default']);
  expect([...fields(metadata.get(11)![0]!).values()].map(String)).toEqual(['made', 'by-the-benchmark']);
  const container = fields(fields(decoded.get(2)![0]!).get(2)![0]!);
  expect([container.get(1), container.get(2)].map(String)).toEqual(['tiny', 'images.invalid/tiny']);
  const requests = fields(container.get(8)![0]!)
    .get(2)!
    .map((entry) => fields(entry))
    .map((entry) => [String(entry.get(1)), String(fields(entry.get(2)![0]!).get(1))]);
  expect(requests).toEqual([
    ['cpu', '1'],
    ['memory', '128Mi'],
  ]);
});

test('What is longer than 127 bytes has its length in two bytes', () => {
  const name = 'n'.repeat(200);
  const envelope = fields(pod(name, 'protobuf').subarray(4));
  const metadata = fields(fields(envelope.get(2)![0]!).get(1)![0]!);
  expect(String(metadata.get(1))).toBe(name);
});

/** Of a message whose fields are all length-delimited: by number. Throws when a length does not fit. */
function fields(bytes: Buffer): Map<number, Buffer[]> {
  const found = new Map<number, Buffer[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    if ((key & 7) !== 2) throw new Error(`wire type ${key & 7}`);
    const length = varint();
    if (at + length > bytes.length) throw new Error(`${length} bytes at ${at} of ${bytes.length}`);
    found.set(key >>> 3, [...(found.get(key >>> 3) ?? []), bytes.subarray(at, at + length)]);
    at += length;
  }
  return found;
}
