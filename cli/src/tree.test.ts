import { FakeClock } from '@plumb/reconciler/runtime/fake-clock.ts';
import { describe, expect, test } from 'vitest';
import type { Target } from './follow.ts';
import { LiveTree } from './live-tree.ts';
import { resourceByAlias } from './resources.ts';
import type { Surroundings } from './surroundings.ts';
import { type Leaf, type Mark, treeLines } from './tree.ts';

const target = (kind: string, name: string, namespace?: string): Target => ({
  ...{ resource: resourceByAlias(kind), namespace, name },
});
const leaf = (of: Target, mark: Mark, said: string, more: Partial<Leaf> = {}): Leaf => ({
  ...{ target: of, mark, said, began: 0, ...more },
});

describe('the tree', () => {
  test('is by project, with condition, step and time of each', () => {
    const leaves = [
      leaf(target('zone', 'home'), 'ready', 'ready', { ended: 1_000 }),
      leaf(target('vm', 'web-0', 'shop'), 'waits', 'Pending: it is made', {
        reason: 'Pending',
        step: 'make disk root on sim-0 (3 of 6)',
      }),
      leaf(target('vm', 'web-1', 'shop'), 'failed', 'failed: NoCapacity: no \u001b[31m room', { ended: 2_000 }),
    ];
    expect(treeLines(leaves, '1 of 3 ready', { columns: 100, rows: 24 }, 5_000)).toEqual([
      '1 of 3 ready',
      'estate',
      '└─ ✓ zone/home                  1s  ready',
      'project shop',
      '├─ · instance/web-0             5s  Pending: make disk root on sim-0 (3 of 6)',
      '└─ ✗ instance/web-1             2s  failed: NoCapacity: no  [31m room',
    ]);
  });

  test('is never wider or higher than the terminal; what failed and what waits stays, the rest is counted', () => {
    const leaves = Array.from({ length: 300 }, (_, i) =>
      leaf(target('vm', `web-${i}`, 'shop'), i === 250 ? 'failed' : i >= 296 ? 'waits' : 'ready', 'x'.repeat(200)),
    );
    for (const size of [
      { columns: 40, rows: 12 },
      { columns: 10, rows: 3 },
      { columns: 1, rows: 1 },
    ]) {
      const lines = treeLines(leaves, 'head', size, 0);
      expect(lines.length).toBeLessThanOrEqual(Math.max(size.rows, 4));
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(Math.max(size.columns, 1));
    }
    const lines = treeLines(leaves, 'head', { columns: 80, rows: 12 }, 0);
    for (const name of ['web-250', 'web-296', 'web-299']) expect(lines.join('\n')).toContain(name);
    expect(lines.at(-1)).toBe('… and 293 ready');
  });
});

describe('on a terminal', () => {
  test('it is drawn over itself, no oftener than an eye sees, and stays at the end with failures in full', async () => {
    const clock = new FakeClock();
    const written: string[] = [];
    const surroundings = {
      ...{ clock, interactive: true, columns: () => 30, rows: () => 24 },
      err: (text: string) => void written.push(text),
    } as unknown as Surroundings;
    const targets = [target('zone', 'a'), target('zone', 'b')];
    const tree = new LiveTree(surroundings, targets);
    for (let i = 0; i < 100; i++) {
      tree.waits(targets[0]!, `Reason${i}`);
      await clock.advance(10);
    }
    expect(written.length).toBeLessThan(15);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they move the cursor
    expect(written.at(-1)).toMatch(/^\u001b\[4A\r0 of 2 ready, 1s\u001b\[K\nestate\u001b\[K\n/);
    tree.does(targets[1]!, 'make x');
    tree.becomes(targets[0]!);
    tree.does(targets[0]!, 'make y');
    tree.fails(targets[1]!, `failed: ${'long '.repeat(20)}`);
    tree.close(1);
    const last = written.slice(-3);
    expect(last[0]).toContain('├─ ✓ zone/a ');
    expect(last.slice(1)).toEqual([`zone/b failed: ${'long '.repeat(20)}\n`, '1 of 2 ready in 1s\n']);
    expect(clock.timers).toBe(0);
  });
});
