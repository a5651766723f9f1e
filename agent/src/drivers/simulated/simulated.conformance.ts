import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { realAmbient } from '@plumb/schemas';
import { SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import { driverConformance } from '../conformance.ts';
import { latencyAround } from './latency.ts';
import { seededRandom } from './seeded-random.ts';
import { SimulatedHost } from './simulated-host.ts';

driverConformance('simulated', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-simulated-'));
  const bytes = Buffer.alloc(4096, 'a tiny disk ');
  const path = join(folder, 'tiny.raw');
  await writeFile(path, bytes);
  const driver = new SimulatedHost({
    clock: realAmbient().clock,
    random: seededRandom(1),
    latency: latencyAround(2),
    cpus: 4,
    memoryMiB: 4096,
    sources: new SourceRules({ folders: [folder] }),
  });
  const brokenImageUrl = 'https://images.invalid/broken.raw';
  driver.breakFetch(brokenImageUrl);
  const stalledImageUrl = 'https://images.invalid/stalled.raw';
  driver.stallFetch(stalledImageUrl);
  return {
    driver,
    imageUrl: pathToFileURL(path).href,
    imageSha256: createHash('sha256').update(bytes).digest('hex'),
    imageFormat: 'raw',
    brokenImageUrl,
    stalledImageUrl,
    runOf: async (id) => driver.bootsOf(id),
    killDomain: async (id) => driver.kill(id, 'crashed'),
    breakPort: async (id) => driver.loseBridgePort(id),
    makeForeignDomain: async (name) => {
      driver.addForeignDomain(name);
      return {
        exists: async () => driver.hasForeignDomain(name),
        remove: async () => driver.removeForeignDomain(name),
      };
    },
    close: async () => {
      await driver.close();
      await rm(folder, { recursive: true });
    },
  };
});
