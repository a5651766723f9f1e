/**
 * The provider as a process that outlives a run of Terraform and serves the next one, since starting Node takes longer
 * than a small plan. The shim starts it and speaks to it through a socket in a folder that only its user can enter.
 *
 * Each connection begins with one line of JSON from the shim (`Greeting`), answered with `ok` and a line feed. After
 * that the connection carries Terraform's HTTP/2 bytes, or, for a greeting with `logsOf`, log lines back to the shim.
 */
import { closeSync, rmSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type Ambient, realAmbient } from '@plumb/schemas';
import { jsonLog, type Log, silent } from './log.ts';
import { serveConnection } from './server.ts';
import { Session } from './session.ts';

interface Greeting {
  /**
   * Of the run of Terraform: its environment, and where relative paths begin. They are this connection's alone: this process
   * was started by another run, of another shell, and takes nothing of its own environment for them.
   */
  env?: Record<string, string>;
  cwd?: string;
  /** Names the shim, so that logs of its connections find their way back to it. */
  id?: string;
  /** This connection takes the logs of the shim of that id. */
  logsOf?: string;
}

/** An environment takes at most this much on Linux, a quarter of the stack; whoever sends more is no shim. */
const MAX_GREETING_BYTES = 4 << 20;
const LINE_FEED = 10;
const GREETING_MS = 5_000;
/** The shim gives us this descriptor and waits for a line on it. */
const READY_FD = 3;

/**
 * Serves on the socket at `path` until no connection was open for `idleMs`. `removeFolder`: nobody else finds the folder that
 * the socket is in, so it goes with the process.
 */
export function serveWarm(path: string, idleMs: number, removeFolder = false): void {
  const ambient = realAmbient();
  const logs = new Map<string, Socket>();
  let open = 0;
  let endIdle = ambient.clock.after(idleMs, leave);
  const server = createServer((socket) => {
    open++;
    endIdle();
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      open--;
      if (open === 0) endIdle = ambient.clock.after(idleMs, leave);
    });
    // Whatever one connection says, the runs of Terraform on the others go on.
    greeted(socket, ambient)
      .then((greeting) => begin(socket, greeting, ambient, logs))
      .catch(() => socket.destroy());
  });
  // A connection that comes between the end of listening and the end of the process is refused or reset before its
  // greeting is answered, and the shim starts another process.
  function leave(): void {
    server.close(() => {
      if (removeFolder) rmSync(dirname(path), { recursive: true, force: true });
      process.exit(0);
    });
  }
  server.listen(path, () => {
    writeSync(READY_FD, 'ready\n');
    closeSync(READY_FD);
    flushCompileCache();
  });
}

function begin(socket: Socket, greeting: Greeting, ambient: Ambient, logs: Map<string, Socket>): void {
  const { logsOf, id } = greeting;
  socket.write('ok\n');
  if (logsOf !== undefined) {
    logs.set(logsOf, socket);
    socket.once('close', () => logs.delete(logsOf));
    socket.resume();
    return;
  }
  const surroundings = { env: greeting.env ?? {}, cwd: greeting.cwd ?? '/' };
  const out = id === undefined ? undefined : logs.get(id);
  const log: Log = out ? jsonLog((line) => out.writable && out.write(line), ambient.clock.now) : silent;
  socket.once('close', () => out?.end());
  serveConnection(socket, new Session(ambient, surroundings, log));
}

/** Throws for what is not one. */
function greetingIn(line: Buffer): Greeting {
  const { env, cwd, id, logsOf } = JSON.parse(line.toString('utf8')) as Record<string, unknown>;
  const text = (value: unknown) => value === undefined || typeof value === 'string';
  const strings = env === undefined || (typeof env === 'object' && env !== null && Object.values(env).every(text));
  if (!strings || !text(cwd) || !text(id) || !text(logsOf)) throw new TypeError('not a greeting');
  return { env, cwd, id, logsOf } as Greeting;
}

/** The first line of a connection. The other end sends nothing more until it is answered. */
function greeted(socket: Socket, { clock }: Ambient): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const endTimer = clock.after(GREETING_MS, () => finish(() => reject(new Error('no greeting'))));
    const onData = (chunk: Buffer) => {
      parts.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_GREETING_BYTES) finish(() => reject(new Error('not a greeting')));
      else if (chunk.at(-1) === LINE_FEED) finish(() => resolve(greetingIn(Buffer.concat(parts))));
    };
    const onClose = () => finish(() => reject(new Error('closed')));
    const finish = (then: () => void) => {
      endTimer();
      socket.off('data', onData);
      socket.off('close', onClose);
      socket.pause();
      try {
        then();
      } catch (error) {
        reject(error);
      }
    };
    socket.on('data', onData);
    socket.on('close', onClose);
  });
}
