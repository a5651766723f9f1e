import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairQueue, type Path, type Waiting } from './fair-queue.ts';

function drain<T>(queue: FairQueue<T>): T[] {
  const order: T[] = [];
  for (let next = queue.next(); next; next = queue.next()) {
    queue.take(next);
    order.push(next.item);
  }
  return order;
}

describe('turns', () => {
  test('at one path it is first come, first served', () => {
    const queue = new FairQueue<number>();
    for (const i of [1, 2, 3]) queue.add(['u', 'a'], i, 1, 1);
    expect(drain(queue)).toEqual([1, 2, 3]);
  });

  test('the outermost fork decides first: two users share alike, however many connections one of them has', () => {
    const queue = new FairQueue<string>();
    for (let i = 0; i < 6; i++) queue.add(['heavy', `connection ${i}`], 'heavy', 1, 1);
    for (let i = 0; i < 3; i++) queue.add(['light', 'one'], 'light', 1, 1);
    expect(drain(queue).slice(0, 6)).toEqual(['heavy', 'light', 'heavy', 'light', 'heavy', 'light']);
  });

  test('who took several turns lets as many pass', () => {
    const queue = new FairQueue<string>();
    for (const _ of [1, 2]) queue.add(['wide'], 'W', 3, 1);
    for (let i = 0; i < 6; i++) queue.add(['narrow'], 'n', 1, 1);
    expect(drain(queue).join('')).toBe('WnnnWnnn');
  });

  test('nothing stays of what is gone', () => {
    const queue = new FairQueue<string>();
    const held = ['a', 'b', 'c'].map((name) => queue.add([name, name], name, 1, 5));
    expect([queue.length, queue.size]).toEqual([3, 15]);
    for (const each of held) queue.remove(each);
    queue.remove(held[0]!);
    expect([queue.length, queue.size, queue.next()]).toEqual([0, 0, undefined]);
  });
});

describe('a full queue', () => {
  test('the last of who has most makes room for who has less', () => {
    const queue = new FairQueue<string>();
    for (let i = 0; i < 5; i++) queue.add(['u', 'heavy'], `heavy ${i}`, 1, 1);
    queue.add(['u', 'middle'], 'middle', 1, 1);
    expect(queue.excess(['u', 'new'], 1)?.item).toBe('heavy 4');
    expect(queue.excess(['u', 'middle'], 1)?.item).toBe('heavy 4');
    expect(queue.excess(['u', 'heavy'], 1)).toBeUndefined();
  });

  test('nobody makes room for who would then have more', () => {
    const queue = new FairQueue<string>();
    for (const name of ['a', 'b', 'c']) queue.add([name], name, 1, 1);
    expect(queue.excess(['new'], 1)).toBeUndefined();
    queue.add(['a'], 'a', 1, 1);
    expect(queue.excess(['new'], 1)?.item).toBe('a');
    expect(queue.excess(['new'], 2)).toBeUndefined();
  });
});

/** A few names at each fork, so that paths meet. */
const paths = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }));

test('a light client waits for no more turns than there are others beside it at its forks, whatever they have waiting', () => {
  fc.assert(
    fc.property(fc.array(paths, { maxLength: 300 }), fc.array(paths, { maxLength: 100 }), (before, meanwhile) => {
      const queue = new FairQueue<Path>();
      for (const path of before) queue.add(path, path, 1, 1);
      const light = ['light', 'light', 'light'];
      queue.add(light, light, 1, 1);
      const users = new Set([...before, ...meanwhile].map(([user]) => user)).size + 1;
      const later = [...meanwhile];
      let turns = 1;
      for (let next = queue.next()!; next.item !== light; next = queue.next()!) {
        queue.take(next);
        turns++;
        // Others keep on coming.
        const path = later.pop();
        if (path) queue.add(path, path, 1, 1);
      }
      expect(turns).toBeLessThanOrEqual(users);
    }),
  );
});

test('with something waiting at every path all the time, all get the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 4 }), (clients, rounds) => {
      const queue = new FairQueue<number>();
      const got = Array.from({ length: clients }, () => 0);
      // The first one has a hundred times as much waiting as the others.
      for (let i = 0; i < 100 * rounds; i++) queue.add([0], 0, 1, 1);
      for (let client = 1; client < clients; client++)
        for (let i = 0; i < rounds; i++) queue.add([client], client, 1, 1);
      for (let i = 0; i < clients * rounds; i++) {
        const next = queue.next()!;
        queue.take(next);
        got[next.item]!++;
      }
      expect(got).toEqual(got.map(() => rounds));
    }),
  );
});

test('counts are those of what waits, whatever is added, taken, removed or pushed out', () => {
  const actions = fc.array(
    fc.record({
      path: paths,
      what: fc.constantFrom('add', 'add', 'take', 'remove', 'excess'),
      turns: fc.integer({ min: 1, max: 4 }),
      size: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(actions, (list) => {
      const queue = new FairQueue<object>();
      const here = new Set<Waiting<object>>();
      for (const { path, what, turns, size } of list) {
        const [oldest] = here;
        if (what === 'add') here.add(queue.add(path, {}, turns, size));
        else if (what === 'remove' && oldest) {
          queue.remove(oldest);
          here.delete(oldest);
        } else {
          const waiting = what === 'take' ? queue.next() : queue.excess(path, size);
          if (!waiting) continue;
          expect(here.delete(waiting)).toBe(true);
          if (what === 'take') queue.take(waiting);
          else queue.remove(waiting);
        }
        expect(queue.length).toBe(here.size);
        expect(queue.size).toBe([...here].reduce((sum, each) => sum + each.size, 0));
        expect(queue.next() === undefined).toBe(here.size === 0);
      }
      expect(drain(queue)).toHaveLength(here.size);
    }),
  );
});
