import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { damagedFolder, damages } from '../../../host/testing/damages.ts';
import { DomainTrace } from './trace.ts';

const folder = damagedFolder();
const one = '10000000-0000-4000-8000-000000000001';

describe.each(['stopped', 'foreign', 'console.log', 'console.log.1'])('the file %s of a domain', (name) => {
  test.each(damages)('that is %s says nothing, and stops nothing', async (_, damage) => {
    const path = join(folder.path, 'domains', one, name);
    await mkdir(dirname(path), { recursive: true });
    await damage(path);
    const trace = new DomainTrace(folder.path);
    expect([undefined, 'unknown']).toContain(await trace.stopReason(one));
    expect((await trace.foreignFiles(one)).length).toBeLessThan(100);
    await trace.bound(one);
    await trace.begin(one);
    await trace.rememberStop(one, 'crashed');
    await trace.rememberForeign(one, ['/a']);
    const again = new DomainTrace(folder.path);
    expect([await again.stopReason(one), await again.foreignFiles(one)]).toEqual(['crashed', ['/a']]);
    await again.remove(one);
  });
});
