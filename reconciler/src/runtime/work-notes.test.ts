import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FakeClock, settle } from './fake-clock.ts';
import { FATAL_REPORT, WorkNotes } from './work-notes.ts';

function folderOfNotes() {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-notes-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new FakeClock(0);
  return { folder, clock, start: (version = '1') => new WorkNotes({ folder, version, clock }) };
}

test('while nobody is suspected, work begins at once and nothing is written', async () => {
  const { folder, start } = folderOfNotes();
  const notes = start();
  await Promise.all(['a', 'b'].map((key) => notes.begin(key)));
  expect(existsSync(join(folder, 'alone'))).toBe(false);
  notes.end('a');
  notes.crashed();
  expect(JSON.parse(readFileSync(join(folder, 'crash.json'), 'utf8'))).toEqual({ keys: ['b'] });
});

test('suspects come after everything else, one after the other, each written down while it is alone', async () => {
  const { folder, clock, start } = folderOfNotes();
  writeFileSync(join(folder, 'crash.json'), '{"keys":["a","b","c"]}');
  const notes = start();
  const begun: string[] = [];
  const work = (key: string) => Promise.resolve(notes.begin(key)).then(() => begun.push(key));
  for (const key of ['a', 'b', 'x', 'c']) void work(key);
  await settle();
  expect(begun).toEqual(['x']);
  await clock.advance(1_000);
  expect(begun).toEqual(['x', 'a']);
  expect(readFileSync(join(folder, 'alone'), 'utf8').trim()).toBe('a');
  notes.end('a');
  await clock.advance(20);
  expect(begun).toEqual(['x', 'a', 'b']);
  // Work that waits for others does not keep the next from its turn for ever.
  await clock.advance(500);
  expect(begun).toEqual(['x', 'a', 'b', 'c']);
  expect(readFileSync(join(folder, 'alone'), 'utf8').trim()).toBe('c');
  // Whoever had a turn begins at once.
  await work('a');
  notes.crashed();
  expect(start().guilty).toEqual(['c']);
});

test('after a lack of memory everything that is looked at is suspected, and the report is kept for people', async () => {
  const { folder, clock, start } = folderOfNotes();
  writeFileSync(join(folder, FATAL_REPORT), 'the report');
  const notes = start();
  await notes.begin('a');
  const second = notes.begin('b');
  expect(readFileSync(join(folder, 'alone'), 'utf8').trim()).toBe('a');
  expect(readFileSync(join(folder, 'last-fatal-report.json'), 'utf8')).toBe('the report');
  notes.end('a');
  await clock.advance(20);
  await second;
  await clock.advance(60_000);
  expect(notes.isCareful).toBe(false);
  expect(existsSync(join(folder, 'alone'))).toBe(false);
  await Promise.all(['c', 'd'].map((key) => notes.begin(key)));
});

test('who is guilty stays so until it changes, or another version comes', () => {
  const { folder, start } = folderOfNotes();
  writeFileSync(join(folder, FATAL_REPORT), '');
  writeFileSync(join(folder, 'alone'), 'a\n\n');
  expect(start().guilty).toEqual(['a']);
  expect(start().guilty).toEqual(['a']);
  start().forget('a');
  expect(start().guilty).toEqual([]);
  writeFileSync(join(folder, 'suspects.json'), '{"guilty":[{"key":"a","version":"1"}]}');
  expect(start('2').guilty).toEqual([]);
});
