/** `node scripts/kube/differences.ts [CLASS…] [--all]`: every difference that is neither mended nor listed, in short. */
import { realAmbient } from '@plumb/schemas';
import { compare } from '../../reconciler/src/api/oracle/compare.ts';
import { ahead, corpus } from '../../reconciler/src/api/oracle/corpus/index.ts';
import { deliberateRows } from '../../reconciler/src/api/oracle/deliberate.ts';
import { readGolden } from '../../reconciler/src/api/oracle/golden.ts';
import { play } from '../../reconciler/src/api/oracle/play.ts';
import { Wire } from '../../reconciler/src/api/oracle/wire.ts';
import { startApiRig } from '../../reconciler/src/api/testing/rig.ts';

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const rows = process.argv.includes('--all') ? [] : deliberateRows();
const api = await startApiRig({ ambient: realAmbient() });
const wire = new Wire({ url: api.url, authority: api.pki.authority, token: api.token });
const short = (value: unknown) => (value === undefined ? 'absent' : JSON.stringify(value)).slice(0, 260);
let run = 0;
let count = 0;
for (const { name, cases } of [...corpus, ...ahead]) {
  if (wanted.length > 0 && !wanted.some((one) => one.split('/')[0] === name)) continue;
  const golden = readGolden(name);
  for (const one of cases) {
    if (wanted.length > 0 && !wanted.includes(name) && !wanted.includes(`${name}/${one.name}`)) continue;
    const theirs = golden.answers[one.name] ?? [];
    const watches = theirs.filter(({ events }) => events !== undefined).map(({ events }) => events!.length);
    const playing = { wire, id: `c${++run}-${name}`, quietMs: 15, patienceMs: 3_000, expected: () => watches.shift() };
    const ours = await play(one, playing).catch((error) => {
      console.log(`${name}/${one.name}: ${error}`);
      return [];
    });
    let last = '';
    for (const difference of compare(`${name}/${one.name}`, theirs, ours)) {
      if (rows.some((row) => row.matches(difference))) continue;
      count++;
      const head = `${difference.where} ${difference.step}: ${difference.request}`;
      if (head !== last) console.log(head.slice(0, 330));
      last = head;
      console.log(`    ${difference.path}\n      k ${short(difference.theirs)}\n      p ${short(difference.ours)}`);
    }
  }
}
console.log(`${count} differences`);
wire.close();
await api.stop();
