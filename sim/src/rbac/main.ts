/**
 * Random policies and requests, decided by Plumb and by Kubernetes' own RBAC authorizer, which is built from its Go module.
 *
 *   npm run soak -- --rbac 1000000 [--seed S]      so many pairs of policy and request
 *   npm run soak -- --rbac 10000 --seed golden --record     writes the sample that npm test compares with
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { buildAuthorizer } from './build.ts';
import { type Answers, decideAll, differences } from './decide.ts';
import { caseOf, GOLDEN, REQUESTS, type Recorded, recorded } from './golden.ts';
import type { Case } from './random-policy.ts';

const { values } = parseArgs({
  options: {
    rbac: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    record: { type: 'boolean', default: false },
  },
});

const { program, version } = await buildAuthorizer((line) => console.error(line));
const policies = Math.ceil(Number(values.rbac) / REQUESTS);
const started = performance.now();
const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const kept: Recorded[] = [];
const total = { pairs: 0, allowed: 0, covers: 0, covered: 0, different: 0 };
let ourMs = 0;

for (const [number, of] of cases()) {
  if (!child.stdin.write(`${JSON.stringify(of)}\n`)) await once(child.stdin, 'drain');
  const theirs = JSON.parse((await answers.next()).value as string) as Answers;
  const before = performance.now();
  const ours = decideAll(of);
  ourMs += performance.now() - before;
  total.pairs += theirs.allowed.length;
  total.allowed += theirs.allowed.filter(Boolean).length;
  total.covers += theirs.covers.length;
  total.covered += theirs.covers.filter(Boolean).length;
  const wrong = differences(ours, theirs);
  total.different += wrong.length;
  if (wrong.length > 0 && total.different < 50)
    console.log(`policy ${values.seed}/${number}:\n  ${wrong.join('\n  ')}`);
  if (values.record) kept.push(recorded(of, theirs));
}
child.stdin.end();

const seconds = (performance.now() - started) / 1000;
console.log(
  `k8s.io/kubernetes ${version}: ${total.pairs} pairs of policy and request (${policies} policies), ${total.allowed} allowed; ` +
    `${total.covers} pairs of rules, ${total.covered} covered; ${total.different} differences; ${seconds.toFixed(0)} s, ` +
    `of which Plumb decided for ${(ourMs / 1000).toFixed(1)} s (${availableParallelism()} processors)`,
);
if (values.record) {
  const text = JSON.stringify({ version, seed: values.seed, cases: kept }, undefined, 1);
  writeFileSync(GOLDEN, `${text.replaceAll(/\n +(?=["\]])/g, ' ')}\n`);
}
process.exitCode = total.different > 0 ? 1 : 0;

function* cases(): Generator<[number, Case]> {
  for (let number = 0; number < policies; number++) yield [number, caseOf(values.seed, number)];
}
