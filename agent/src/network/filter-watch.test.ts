import { expect, test } from 'vitest';
import { ManualClock } from '../drivers/libvirt/rpc/manual-clock.ts';
import { FilterWatch } from './filter-watch.ts';

function watching() {
  const clock = new ManualClock();
  let lost = 0;
  const watch = new FilterWatch({ table: 'plumb_1', clock, foreign: () => lost++ });
  const say = (...lines: string[]) => {
    for (const line of lines) watch.line(line);
    clock.advance(1_000);
    return lost;
  };
  return { watch, say };
}

const taken = (family: string, table = 'plumb_1') => [
  `delete rule ${family} ${table} from_guest handle 3`,
  `delete set ${family} ${table} macs`,
  `delete chain ${family} ${table} from_guest`,
  `delete table ${family} ${table}`,
];

test('loads of our own are no loss, however many; one that failed counts for none', () => {
  const { watch, say } = watching();
  for (let n = 0; n < 3; n++) watch.expect('bridge plumb_1');
  watch.expect('ip plumb_1');
  const failed = watch.expect('bridge plumb_1');
  expect(say(...taken('bridge'), ...taken('ip'), ...taken('bridge'))).toBe(0);
  failed(false);
  expect(say(...taken('bridge'))).toBe(0);
  expect(say(...taken('bridge'))).toBe(1);
});

test.each([
  ['all tables', [...taken('bridge'), ...taken('ip'), ...taken('inet', 'of_others')]],
  ['one table', taken('ip')],
  ['a rule', ['delete rule bridge plumb_1 from_guest handle 7']],
  ['an element', ['delete element bridge plumb_1 macs { "pt0" . 52:54:00:00:00:01 }']],
  ['a table beside a load of ours', [...taken('bridge'), ...taken('bridge')]],
])('what somebody takes away is told once: %s', (_, lines) => {
  const { watch, say } = watching();
  if (lines.length === 8) watch.expect('bridge plumb_1');
  expect(say(...lines)).toBe(1);
});

test('a load that nobody heard of hides no loss for long', () => {
  const { watch, say } = watching();
  watch.expect('bridge plumb_1')(true);
  say();
  say();
  say();
  expect(say(...taken('bridge'))).toBe(1);
});

test('what is not ours is of no interest', () => {
  const { say } = watching();
  expect(say(...taken('bridge', 'plumb_2'), ...taken('inet', 'filter'), 'add table bridge plumb_1', 'noise')).toBe(0);
});

test('when lines were missed, it is looked', () => {
  const { watch, say } = watching();
  watch.expect('bridge plumb_1');
  watch.missed();
  expect(say()).toBe(1);
  expect(say(...taken('bridge'))).toBe(2);
});
