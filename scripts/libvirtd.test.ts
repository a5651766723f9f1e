import { describe, expect, test } from 'vitest';
import { whileThreadsGo } from './libvirtd.ts';

const gone = () => Promise.reject(new Error("taskset: failed to get pid 2061's affinity: No such process"));

describe('the CPUs of a libvirtd that just started', () => {
  test('are given to it although its threads come and go meanwhile', async () => {
    const answers = [gone, gone, async () => 'done'];
    expect(await whileThreadsGo(() => answers.shift()!())).toBe('done');
  });

  test('are not asked for without end, nor after another failure', async () => {
    let asked = 0;
    const counted = () => {
      asked += 1;
      return gone();
    };
    await expect(whileThreadsGo(counted)).rejects.toThrow('No such process');
    expect(asked).toBeLessThan(100);
    asked = 0;
    const refused = () => Promise.reject(new Error(`Operation not permitted ${++asked}`));
    await expect(whileThreadsGo(refused)).rejects.toThrow('Operation not permitted 1');
  });
});
