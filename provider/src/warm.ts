/**
 * The provider as a process that outlives a run of Terraform and serves the next one, since starting Node takes longer
 * than a small plan. The shim starts it and speaks to it through a socket in a folder that only its user can enter.
 *
 * Each connection begins with one line of JSON from the shim (`Greeting`), answered with `ok` and a line feed. After that it
 * carries Terraform's HTTP/2 bytes. The one with `control` stays open as long as both live: log lines go back to the shim on it,
 * and `bye` when Terraform has ended the plugin. If it ends without that, the shim knows that the process died.
 */
import { closeSync, rmSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { Contacts } from '@plumb/client/contact.ts';
import { SharedWires } from '@plumb/client/shared-wires.ts';
import { type Ambient, realAmbient } from '@plumb/schemas';
import { jsonLog, type Log, silent, wantsLevel } from './log.ts';
import { serveConnection } from './server.ts';
import { Session } from './session.ts';

interface Greeting {
  /** This is the control connection of the shim of that id, and nothing else is said. */
  control?: string;
  /** Names the shim, so that logs of its connections find their way back to it. */
  id?: string;
  /**
   * Of the run of Terraform: where relative paths begin, its workspace, what it may be told of its environment, the level of its
   * logs. They are this connection's alone: this process was started by another run, of another shell, and takes nothing of its
   * own environment for them.
   */
  cwd?: string;
  workspace?: string;
  env?: Record<string, string>;
  logLevel?: string;
}

export interface WarmOptions {
  /** How long the process stays when no connection is open, in milliseconds. */
  idleMs: number;
  /** Nobody else finds the folder that the socket is in, so it goes with the process. */
  removeFolder?: boolean;
  /** The process is for one shim: when that is gone, which ends this stream, and all that it began has ended, so does the process. */
  whileOpen?: NodeJS.ReadableStream;
}

/** The shim sends what such programs usually need (go-shim/environment.go). */
const credentialHint =
  'if it needs a variable of your shell that the provider is not told of, name it in PLUMB_PROVIDER_ENV';

/** An environment takes at most this much on Linux, a quarter of the stack; whoever sends more is no shim. */
const MAX_GREETING_BYTES = 4 << 20;
const LINE_FEED = 10;
const GREETING_MS = 5_000;
/** The shim gives us this descriptor and waits for a line on it. */
const READY_FD = 3;

/** Serves on the socket at `path` until no connection was open for some time. */
export function serveWarm(path: string, { idleMs, removeFolder = false, whileOpen }: WarmOptions): void {
  const ambient = realAmbient();
  const controls = new Map<string, Socket>();
  const contacts = new Contacts(ambient.clock);
  const wires = new SharedWires(ambient.clock);
  let open = 0;
  let orphaned = false;
  let endIdle = ambient.clock.after(idleMs, leave);
  const server = createServer((socket) => {
    open++;
    endIdle();
    socket.on('error', () => socket.destroy());
    socket.once('close', closed);
    // Whatever one connection says, the runs of Terraform on the others go on.
    greeted(socket, ambient)
      .then((greeting) => begin(socket, greeting, ambient, { controls, contacts, wires, stays }))
      .catch(() => socket.destroy());
  });
  const closed = () => {
    open--;
    if (open > 0) return;
    if (orphaned) leave();
    else endIdle = ambient.clock.after(idleMs, leave);
  };
  /** The process stays until that is done. */
  const stays = (done: Promise<void>) => {
    open++;
    endIdle();
    void done.finally(closed);
  };
  // A connection that comes between the end of listening and the end of the process is refused or reset before its
  // greeting is answered, and the shim starts another process.
  function leave(): void {
    server.close(() => {
      if (removeFolder) rmSync(dirname(path), { recursive: true, force: true });
      process.exit(0);
    });
  }
  whileOpen?.resume().once('close', () => {
    orphaned = true;
    if (open === 0) leave();
  });
  // The socket is for our user alone (0600), whatever folder it is in; so is all that is written from here on.
  process.umask(0o177);
  server.listen(path, () => {
    process.umask(0o077);
    writeSync(READY_FD, 'ready\n');
    closeSync(READY_FD);
    flushCompileCache();
  });
}

/** What all connections of the process have in common. */
interface Shared {
  /** Control connections by the id of their shim. */
  controls: Map<string, Socket>;
  contacts: Contacts;
  wires: SharedWires;
  stays(done: Promise<void>): void;
}

function begin(socket: Socket, greeting: Greeting, ambient: Ambient, shared: Shared): void {
  const { controls, contacts, wires, stays } = shared;
  const { control: own, id } = greeting;
  socket.write('ok\n');
  if (own !== undefined) {
    controls.set(own, socket);
    socket.once('close', () => controls.delete(own));
    socket.resume();
    return;
  }
  const { env = {}, cwd = '/', workspace = 'default', logLevel = 'off' } = greeting;
  const control = id === undefined ? undefined : controls.get(id);
  const log: Log =
    control && wantsLevel(logLevel)
      ? jsonLog((line) => control.writable && control.write(line), ambient.clock.now)
      : silent;
  // Before the socket is closed, so that the shim need not wait when it is; logs may follow.
  const onShutdown = () => {
    control?.write('bye\n');
    socket.once('close', () => control?.end());
  };
  const run = { env, cwd, workspace, credentialHint };
  serveConnection(socket, new Session(ambient, run, log, contacts, wires), onShutdown, stays);
}

/** Throws for what is not one. */
function greetingIn(line: Buffer): Greeting {
  const { env, ...others } = JSON.parse(line.toString('utf8')) as Record<string, unknown>;
  const text = (value: unknown) => value === undefined || typeof value === 'string';
  const strings = env === undefined || (typeof env === 'object' && env !== null && Object.values(env).every(text));
  if (!strings || !Object.values(others).every(text)) throw new TypeError('not a greeting');
  return { env, ...others } as Greeting;
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
