import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { microTime } from '../kinds/builtin/times.ts';
import { decodeEvents, decodeObject, encodeEvent, encodeObject, Malformed, NotKnown } from './envelope.ts';
import { type Field, kindsWithMessages, type Message, messageOfKind } from './messages.ts';
import { Writer } from './writer.ts';

/** Values that a message can have, as they stand in JSON: without what is empty and no pointer. */
function valuesOf(message: Message): fc.Arbitrary<Record<string, unknown>> {
  const fields = [...message.byName.values()].map((field) => [field.name, valueIn(field)] as const);
  return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
}

const text = fc.string({ unit: 'binary', maxLength: 8 });
const filled = text.filter((value) => value !== '');
const bytes = fc.uint8Array({ maxLength: 8 }).map((value) => Buffer.from(value).toString('base64'));
const seconds = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }).filter((value) => value !== 0);

function valueIn(field: Field): fc.Arbitrary<unknown> {
  const { type } = field;
  if (type.of === 'map') {
    const { values } = type;
    const inner: fc.Arbitrary<unknown> =
      values === 'string' ? text : values === 'bytes' ? bytes : fc.array(text, { maxLength: 2 });
    return fc.dictionary(text, inner, { minKeys: 1, maxKeys: 3 });
  }
  const one = type.of === 'message' ? valuesOf(type.message) : scalarOf(type.scalar, type.pointer || field.repeated);
  return field.repeated ? fc.array(one, { minLength: 1, maxLength: 3 }) : one;
}

function scalarOf(scalar: string, mayBeEmpty: boolean): fc.Arbitrary<unknown> {
  switch (scalar) {
    case 'string':
      return mayBeEmpty ? text : filled;
    case 'bool':
      return mayBeEmpty ? fc.boolean() : fc.constant(true);
    case 'int32':
      return fc.integer().filter((value) => mayBeEmpty || value !== 0);
    case 'int64':
      return fc.maxSafeInteger().filter((value) => mayBeEmpty || value !== 0);
    case 'time':
      return seconds.map((value) => `${new Date(value * 1000).toISOString().slice(0, 19)}Z`).filter(isPlain);
    case 'microTime':
      return seconds.map((value) => microTime(new Date(value * 1000).toISOString())).filter(isPlain);
    case 'bytes':
      return bytes;
    default:
      return fc.dictionary(text, fc.constant({}));
  }
}

/** A year of five digits, or before the year 0, is written with a sign. */
function isPlain(time: unknown): boolean {
  return /^\d{4}-/.test(String(time));
}

const kinds = kindsWithMessages();

describe.each(kinds)('$apiVersion $kind', ({ apiVersion, kind }) => {
  test('is the same after it was protobuf, alone, in a list and in an event', () => {
    fc.assert(
      fc.property(fc.array(valuesOf(messageOfKind(apiVersion, kind)!), { minLength: 1, maxLength: 2 }), (values) => {
        const objects = values.map((value) => ({ apiVersion, kind, ...value }));
        for (const object of objects) expect(decodeObject(encodeObject(object)!)).toEqual(object);
        if (kind === 'Status' || kind === 'DeleteOptions') return;
        const list = { apiVersion, kind: `${kind}List`, metadata: { resourceVersion: '7' }, items: values };
        expect(decodeObject(encodeObject(list)!)).toEqual(list);
        const frames = objects.map((object) => encodeEvent({ type: 'ADDED', object })!);
        expect([...decodeEvents(Buffer.concat(frames))]).toEqual(objects.map((object) => ({ type: 'ADDED', object })));
      }),
      { numRuns: 60 },
    );
  });

  test('any bytes are an object or none, and cut off they are none', () => {
    const message = messageOfKind(apiVersion, kind)!;
    fc.assert(
      fc.property(valuesOf(message), fc.uint8Array({ maxLength: 30 }), fc.nat(), (value, noise, at) => {
        const whole = encodeObject({ apiVersion, kind, ...value })!;
        const damaged = Buffer.from(whole);
        damaged.set(noise.subarray(0, Math.max(0, whole.length - (at % whole.length))), at % whole.length);
        for (const attempt of [
          damaged,
          whole.subarray(0, at % whole.length),
          Buffer.concat([whole.subarray(0, 4), noise]),
        ])
          try {
            expect(decodeObject(attempt)).toHaveProperty('kind');
          } catch (error) {
            expect(error instanceof Malformed || error instanceof NotKnown).toBe(true);
          }
      }),
      { numRuns: 60 },
    );
  });
});

test('a field that is not known is refused wherever it is: nothing is taken by halves', () => {
  const inner = (write: (writer: Writer) => void) => {
    const raw = new Writer();
    write(raw);
    const unknown = new Writer();
    unknown.inside(1, (meta) => {
      meta.text(1, 'v1');
      meta.text(2, 'Secret');
    });
    unknown.bytes(2, raw.whole());
    return Buffer.concat([Buffer.from('k8s\0'), unknown.whole()]);
  };
  expect(() => decodeObject(inner((secret) => secret.text(99, 'x')))).toThrow(NotKnown);
  expect(() => decodeObject(inner((secret) => secret.inside(1, (meta) => meta.text(15, 'cluster'))))).toThrow(NotKnown);
  // Of a map, a number, a text: another wire type, no UTF-8.
  expect(() => decodeObject(inner((secret) => secret.integer(2, 1)))).toThrow(Malformed);
  expect(() => decodeObject(inner((secret) => secret.bytes(3, Buffer.from([0xff, 0xfe]))))).toThrow(Malformed);
});
