/** The binary that Terraform starts, by itself: whom it listens to, and how soon. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { UNKNOWN_SERVER } from '@plumb/schemas/testing/unknown-server.ts';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { build } from '../scripts/build.ts';
import { mirrorPath } from '../scripts/build-mirror.ts';
import { run } from '../scripts/run.ts';
import { COOKIE, handshake } from './provider/shim.ts';

let binary: string | undefined;
let folder: string;
let env: Record<string, string>;

const built = await build();

beforeAll(() => {
  if (!built.mirror) return;
  const layout = readdirSync(mirrorPath, { recursive: true, encoding: 'utf8' });
  binary = join(mirrorPath, layout.find((name) => name.includes('terraform.io') && /plumb_v[\d.]+$/.test(name))!);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-shim-'));
  env = { HOME: folder, XDG_RUNTIME_DIR: folder, TMPDIR: folder, PLUGIN_CLIENT_CERT: UNKNOWN_SERVER.cert };
});

afterEach(() => {
  const sockets = join(folder, 'plumb-provider');
  for (const name of readdirSync(sockets).filter((one) => one.endsWith('.pid')))
    process.kill(Number(readFileSync(join(sockets, name), 'utf8')), 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Says `heard` when the other end answers as HTTP/2 does (RFC 9113 section 3.4), and `refused` when it ends. */
const CLIENT = `
  const { connect } = require('node:tls');
  const [path, cert, key] = process.argv.slice(1);
  const socket = connect({ path, ALPNProtocols: ['h2'], rejectUnauthorized: false, ...(cert ? { cert, key } : {}) });
  const end = (word) => { console.log(word); process.exit(0); };
  socket.on('data', (bytes) => end(bytes[3] === 4 ? 'heard' : 'other'));
  socket.on('error', () => end('refused'));
  socket.on('end', () => end('refused'));
  socket.write('PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n');
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
`;

describe.skipIf(!built.mirror)('the shim', () => {
  test('needs no certificate of the process that started it; any other must have the key of the one that was named', async () => {
    // Node starts the shim and says where it listens; then it is the one that asks, being its parent.
    const starter = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.argv[1], { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.once('data', (line) => {
        console.log(String(line).split('|')[3]);
        process.argv.splice(1, process.argv.length, String(line).split('|')[3]);
        process.exit = () => {};
        ${CLIENT}
      });
      process.stdin.on('end', () => { child.kill(); child.once('exit', () => process.kill(process.pid, 'SIGKILL')); }).resume();
    `;
    const parent = spawn(process.execPath, ['-e', starter, binary!], {
      env: { ...COOKIE, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = once(parent, 'exit');
    const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
    const path = (await lines.next()).value as string;
    expect((await lines.next()).value).toBe('heard');
    const ask = async (...pair: string[]) => (await run(process.execPath, ['-e', CLIENT, path, ...pair])).stdout.trim();
    expect(await ask()).toBe('refused');
    expect(await ask(UNKNOWN_SERVER.cert, UNKNOWN_SERVER.key)).toBe('heard');
    parent.stdin.end();
    await ended;
  });

  test('is ready soon when the process runs already', async () => {
    await handshake(binary!, env);
    const took: number[] = [];
    for (let i = 0; i < 20; i++) took.push((await handshake(binary!, env)).ms);
    // 5 ms where nothing else runs. The quickest counts: others on the machine only ever make one slower.
    expect(Math.min(...took)).toBeLessThan(40);
  });
});
