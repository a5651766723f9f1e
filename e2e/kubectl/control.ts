/** The API alone, on a store in memory, with a stand-in for the controllers; and programs that are run against it. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiOptions, startApi } from '@plumb/reconciler/api/start.ts';
import { openPki } from '@plumb/reconciler/pki/open.ts';
import { EventRing } from '@plumb/reconciler/runtime/events.ts';
import { MemoryStore } from '@plumb/reconciler/store/memory.ts';
import { realAmbient } from '@plumb/schemas';
import { standIn } from './stand-in.ts';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Control {
  url: string;
  kubeconfig: string;
  folder: string;
  /** Runs a program with the kubeconfig; never rejects for an exit code. Ended after 60 seconds. */
  run(program: string, args: readonly string[], input?: string): Promise<Ran>;
  /** Starts a program that goes on until it is stopped. */
  start(program: string, args: readonly string[]): Running;
  /** Writes a file into the folder and returns its path. */
  file(name: string, text: string): Promise<string>;
  close(): Promise<void>;
}

export interface Running {
  /** Resolves with everything on standard output once it matches; rejects when the program ends before. */
  until(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
}

const RUN_MS = 60_000;

/** `more`: what is not as usual of the API. */
export async function startControl(more: Partial<ApiOptions> = {}): Promise<Control> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-kubectl-'));
  const ambient = realAmbient();
  const store = new MemoryStore();
  const pki = await openPki({ dataDir: folder, store, ambient, host: '127.0.0.1' });
  const events = new EventRing({ ambient });
  const { tls, tokens, accountKey } = pki;
  const api = await startApi({
    ...{ store, ambient, tls, tokens, accountKey, events, listen: { host: '127.0.0.1', port: 0 } },
    ...more,
  });
  const kubeconfig = await pki.writeKubeconfig(api.url);
  const ending = new AbortController();
  const working = standIn(store, events, ending.signal);
  // A home of its own: kubectl keeps what it discovered there.
  const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: kubeconfig };
  return {
    url: api.url,
    kubeconfig,
    folder,
    run(program, args, input = '') {
      return new Promise((resolve) => {
        const child = execFile(program, args, { env, timeout: RUN_MS, cwd: folder }, (error, stdout, stderr) => {
          const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
          resolve({ code, stdout, stderr });
        });
        child.stdin?.end(input);
      });
    },
    start(program, args) {
      const child = spawn(program, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      return {
        until: (pattern) =>
          new Promise((resolve, reject) => {
            const look = () => pattern.test(text) && resolve(text);
            child.stdout.on('data', look);
            void ended.then(() => reject(new Error(`ended before ${pattern}: ${text}`)));
            look();
          }),
        async stop() {
          child.kill();
          await ended;
        },
      };
    },
    async file(name, text) {
      const path = join(folder, name);
      await writeFile(path, text);
      return path;
    },
    async close() {
      ending.abort();
      await working;
      await api.close();
      await pki.close();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}
