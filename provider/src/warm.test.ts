/** The process that outlives Terraform, as the shim meets it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
let path: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-warm-'));
  path = join(folder, 'socket');
});

afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the process and waits until it says that it listens. */
async function start(idleSeconds: number, ...more: string[]): Promise<ChildProcess> {
  const main = join(import.meta.dirname, 'main.ts');
  const args = [main, '--warm', path, '--idle-seconds', String(idleSeconds), ...more];
  child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit', 'pipe'] });
  const [line] = await once(child.stdio[3] as Readable, 'data');
  expect(String(line)).toBe('ready\n');
  return child;
}

async function greet(greeting: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.write(greeting);
  return socket;
}

test('answers a greeting, and speaks HTTP/2 after it', async () => {
  await start(60);
  const socket = await greet('{"env":{},"cwd":"/"}\n');
  // What the server sends may come in one piece or in several.
  let heard = Buffer.alloc(0);
  const hear = async (bytes: number) => {
    while (heard.length < bytes) heard = Buffer.concat([heard, (await once(socket, 'data'))[0] as Buffer]);
  };
  await hear(3);
  expect(heard.subarray(0, 3).toString()).toBe('ok\n');
  // The preface of HTTP/2 and an empty SETTINGS frame (RFC 9113 section 3.4), to which a server answers with its own.
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  await hear(3 + 9);
  expect(heard[3 + 3]).toBe(4);
  socket.destroy();
  // Whatever folder it is in, the socket is for its owner alone.
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('the control connection stays when one of Terraform is lost, and gets a farewell when the plugin is ended', async () => {
  await start(60);
  const control = await greet('{"control":"shim-1"}\n');
  let said = '';
  control.on('data', (chunk) => {
    said += String(chunk);
  });
  const ofTerraform = async () => {
    const socket = await greet('{"id":"shim-1","env":{},"cwd":"/","workspace":"default","logLevel":"off"}\n');
    // What comes after it, at once or later, is HTTP/2.
    while (socket.read('ok\n'.length) === null) await once(socket, 'readable');
    return socket;
  };
  const lost = await ofTerraform();
  lost.destroy();
  const socket = await ofTerraform();
  expect(said).toBe('ok\n');
  const ended = once(control, 'end');
  const session = http2.connect('http://plugin', { createConnection: () => socket });
  const shutdown = session.request({
    ':method': 'POST',
    ':path': '/plugin.GRPCController/Shutdown',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  shutdown.resume().end(Buffer.alloc(5)); // A message of no bytes, not compressed.
  await ended;
  expect(said).toBe('ok\nbye\n');
  control.destroy();
});

test('a process for one shim ends with it, once nothing is open any more', async () => {
  const process = await start(60, '--while-stdin');
  const ended = once(process, 'exit');
  const socket = await greet('{}\n');
  await once(socket, 'data');
  process.stdin!.end();
  const other = await greet('{}\n');
  await once(other, 'data');
  other.destroy();
  expect(process.exitCode).toBeNull();
  socket.destroy();
  expect((await ended)[0]).toBe(0);
});

test.each([['nonsense\n'], ['x'.repeat(70_000)], ['null\n']])(
  'closes a connection that does not greet, and goes on (%#)',
  async (greeting) => {
    await start(60);
    const socket = await greet(greeting);
    socket.on('error', () => {});
    await once(socket.resume(), 'close');
    const other = await greet('{}\n');
    await once(other, 'data');
    other.destroy();
  },
);

test('stays while a connection is open, and ends when it was idle, without a trace', async () => {
  const process = await start(0.3);
  const ended = once(process, 'exit');
  const socket = await greet('{}\n');
  await once(socket, 'data');
  expect(process.exitCode).toBeNull();
  socket.destroy();
  expect((await ended)[0]).toBe(0);
  expect(existsSync(path)).toBe(false);
});
