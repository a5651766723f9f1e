/**
 * `npm run conformance:kube [-- CLASS…]`: sends the corpus to a real kube-apiserver and writes down what it answers, as golden
 * files that `npm test` holds Plumb's API to.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Transcript } from '../../reconciler/src/api/oracle/case.ts';
import { ahead, corpus } from '../../reconciler/src/api/oracle/corpus/index.ts';
import { GOLDEN, goldenText } from '../../reconciler/src/api/oracle/golden.ts';
import { play } from '../../reconciler/src/api/oracle/play.ts';
import { Wire } from '../../reconciler/src/api/oracle/wire.ts';
import { startKubeServer } from './server.ts';

const all = [...corpus, ...ahead];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !all.some((one) => one.name === name));
if (unknown.length > 0)
  throw new Error(`no class ${unknown.join(', ')}: there are ${all.map((c) => c.name).join(', ')}`);

const folder = mkdtempSync(join(tmpdir(), 'plumb-oracle-'));
const classes = all.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const server = await startKubeServer(join(folder, 'server'), (line) => console.error(line));
try {
  const wire = new Wire(server.peer);
  let count = 0;
  let run = 0;
  for (const { name, cases } of classes) {
    const answers: Record<string, Transcript[]> = {};
    for (const one of cases) {
      const playing = { wire, id: `c${++run}-${name}`, quietMs: 400, patienceMs: 20_000 };
      answers[one.name] = await play(one, playing).catch((error) => {
        throw new Error(`${name}/${one.name}: ${error.message}`);
      });
      count += answers[one.name]!.length;
    }
    writeFileSync(join(GOLDEN, `${name}.json`), goldenText({ binary: server.binary, answers }));
    console.error(`${name}: ${cases.length} cases`);
  }
  wire.close();
  console.error(`${count} requests were answered by ${server.binary.name} ${server.binary.version}`);
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
