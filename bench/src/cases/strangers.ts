import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Case } from '../case.ts';
import { makeCertificates } from '../floor/certificates.ts';
import { freePort } from '../processes/free-port.ts';
import { type Server, startServer } from '../processes/plumb.ts';
import { cpuSeconds, memoryMiB } from '../processes/usage.ts';

const run = promisify(execFile);
const ATTACKER = join(import.meta.dirname, '..', 'strangers', 'attacker.ts');
/** The stranger's address; kubectl comes from 127.0.0.1. */
const FROM = '127.0.0.9';
const SECONDS = 60;
const WARM_SECONDS = 5;
const LOOK_MS = 200;

/** What `kubectl get zones` took, in milliseconds, for as long as the stranger is at work. */
async function whileAttacked(server: Server, port: string, connections: number, seconds: number): Promise<number[]> {
  const attacker = spawn(process.execPath, [ATTACKER, `${FROM}:${port}`, `${connections}`, `${seconds}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let isOver = false;
  const over = once(attacker, 'exit').then(() => {
    isOver = true;
  });
  const took: number[] = [];
  const kubeconfig = join(server.dataDir, 'kubeconfig');
  while (!isOver) {
    const from = performance.now();
    await run('kubectl', ['--kubeconfig', kubeconfig, 'get', 'zones']);
    took.push(performance.now() - from);
  }
  await over;
  return took.sort((a, b) => a - b);
}

const p99 = (sorted: readonly number[]) => sorted[Math.floor((sorted.length - 1) * 0.99)]!;

export const strangers: Case = {
  name: 'strangers',
  title: 'A stranger that sends as fast as he can',
  about: [
    'N connections of one stranger for 60 seconds, without a credential, in nine ways at once: junk, handshakes that end at once or',
    'never, requests, bodies without an end, pings, agents’ streams with and without a made-up credential, joins. A connection that is',
    'closed comes again at once. Meanwhile `kubectl get zones` runs again and again, from another address of this machine; its',
    '99th percentile is the case’s own figure. The floor is the same, with the stranger at an `openssl s_server` beside the server.',
    'Memory is the server’s highest in these 60 seconds, above what it had before; the processor includes the answers to kubectl.',
  ].join('\n'),
  axis: 'connections of the stranger',
  sizes: [1_000],
  figures: [
    { name: 'kubectl', title: 'kubectl get, p99', unit: 'ms' },
    { name: 'memory', title: 'memory of the server above what it had', unit: 'MiB' },
    { name: 'cpu', title: 'of one core', unit: '%' },
  ],
  goals: [
    { figure: 'kubectl', atMost: 1.3, times: 'floor' },
    { figure: 'memory', atMost: 64 },
    { figure: 'cpu', atMost: 30 },
  ],
  picture: { x: 'names', y: 'linear' },
  repetitions: 3,
  async open(size, { folder, tree, now }) {
    mkdirSync(folder, { recursive: true });
    const { serving } = await makeCertificates(now);
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(cert, serving.certificate);
    writeFileSync(key, serving.key);
    const other = String(await freePort());
    const listen = ['s_server', '-accept', `127.0.0.1:${other}`, '-cert', cert, '-key', key, '-quiet', '-alpn', 'h2'];
    const openssl: ChildProcess = spawn('openssl', listen, { stdio: ['pipe', 'ignore', 'ignore'] });
    let server: Server | undefined;
    /** A server that was never attacked, for each repetition. */
    const fresh = async (repetition: number) => {
      await server?.close();
      server = await startServer({ dataDir: join(folder, `server-${repetition}`), tree });
      return server;
    };
    const seconds = (repetition: number) => (repetition === 0 ? WARM_SECONDS : SECONDS);
    return {
      async floor(repetition) {
        const calm = await fresh(repetition);
        return { kubectl: p99(await whileAttacked(calm, other, size, seconds(repetition))) };
      },
      async run(repetition) {
        const { child, access } = server!;
        const before = { memory: memoryMiB(child.pid).now, cpu: cpuSeconds(child.pid), at: performance.now() };
        let peak = before.memory;
        const look = setInterval(() => {
          peak = Math.max(peak, memoryMiB(child.pid).now);
        }, LOOK_MS);
        const took = await whileAttacked(server!, new URL(access.url).port, size, seconds(repetition));
        clearInterval(look);
        const share = (cpuSeconds(child.pid) - before.cpu) / ((performance.now() - before.at) / 1000);
        return { figures: { kubectl: p99(took), memory: peak - before.memory, cpu: share * 100 } };
      },
      async close() {
        openssl.kill();
        await server?.close();
      },
    };
  },
};
