import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endProcess, isRunning, processAt, type Started, startProcess } from '../processes.ts';
import { Refused, readSession, Session } from './session.ts';

let folder: string;
const sleepers: Started[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-session-'));
});
afterEach(async () => {
  for (const sleeper of sleepers.splice(0)) await endProcess(sleeper);
  await rm(folder, { recursive: true, force: true });
});

/** A process that does nothing until it is ended. */
function sleeper(): Started {
  const started = startProcess('sleep', ['600'], { log: join(folder, 'sleeper.log') });
  sleepers.push(started);
  return started;
}

const leave = async (record: object) => writeFile(join(folder, 'start.json'), JSON.stringify(record));
const { pid, started } = processAt(process.pid)!;

describe('the session of npm start', () => {
  test('refuses a folder on which another one runs, and names it', async () => {
    await Session.open(folder, 7443, 'simulated');
    const second = Session.open(folder, 7443, 'simulated');
    await expect(second).rejects.toThrow(Refused);
    await expect(second).rejects.toThrow(`process ${pid}, https://127.0.0.1:7443`);
  });

  test('a process that merely got the same number is another one', async () => {
    await leave({ start: { pid, started: `${started}0` }, port: 1, driver: 'simulated', applied: true, processes: [] });
    const session = await Session.open(folder, 7443, 'simulated');
    expect(session.record).toMatchObject({ start: { pid }, applied: true });
  });

  test('ends what a killed one left running, and nothing else', async () => {
    const orphan = sleeper();
    const stranger = sleeper();
    const processes = [
      { pid: orphan.pid, started: orphan.started },
      { pid: stranger.pid, started: 'of another process' },
    ];
    await leave({ start: { pid: 0, started: '' }, port: 1, driver: 'simulated', applied: false, processes });
    await Session.open(folder, 7443, 'simulated');
    expect([orphan, stranger].map(isRunning)).toEqual([false, true]);
  });

  test('does not change the driver of hosts that hold something', async () => {
    const before = { start: { pid: 0, started: '' }, port: 1, driver: 'libvirt', processes: [] };
    await leave({ ...before, applied: true });
    await expect(Session.open(folder, 7443, 'simulated')).rejects.toThrow('npm start -- --destroy');
    await leave({ ...before, applied: false });
    expect((await Session.open(folder, 7443, 'simulated')).record.driver).toBe('simulated');
  });

  test('closing ends what was started, and frees the folder', async () => {
    const session = await Session.open(folder, 7443, 'simulated');
    const server = sleeper();
    session.record.processes.push({ pid: server.pid, started: server.started });
    await session.save();
    await session.close();
    expect(isRunning(server)).toBe(false);
    expect(await readSession(folder)).toMatchObject({ start: { pid: 0 }, processes: [] });
    expect((await readFile(join(folder, 'start.json'), 'utf8')).endsWith('}\n')).toBe(true);
    await Session.open(folder, 7443, 'simulated');
  });
});
