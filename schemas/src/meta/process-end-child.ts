/** A process that never comes to its end by itself: process-end.test.ts signals it. */
import { watchForEnd } from './process-end.ts';

const end = watchForEnd('the child', { onCrash: () => process.stderr.write('noted\n') });
setInterval(() => {}, 60_000);
void end.wanted.then((code) => process.stdout.write(`wanted ${code}\n`));
if (process.argv[2] === 'crash') setTimeout(() => Promise.reject(new Error('nobody catches this')), 0);
if (process.argv[2] === 'fatal') end.fatal(new Error('the disk is gone'));
process.stdout.write('ready\n');
