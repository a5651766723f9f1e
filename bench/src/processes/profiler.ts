import type { CpuProfile } from '../case.ts';

/** Says how to reach the inspector of a process that was started with `--inspect=127.0.0.1:0`. */
export const INSPECTOR_LINE = /^Debugger listening on (ws:\S+)$/m;

/** Microseconds between two looks at what a process is doing. */
const INTERVAL_US = 250;

/** Looks at what another Node process spends its time on, from `start` to `stop`, over its inspector. */
export class Profiler {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: { result?: unknown; error?: { message: string } }) => void>();
  #next = 1;

  static async connect(url: string): Promise<Profiler> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`the inspector at ${url} cannot be reached`));
    });
    const profiler = new Profiler(socket);
    await profiler.#ask('Profiler.enable');
    await profiler.#ask('Profiler.setSamplingInterval', { interval: INTERVAL_US });
    return profiler;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const answer = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: { message: string } };
      const take = this.#waiting.get(answer.id ?? 0);
      this.#waiting.delete(answer.id ?? 0);
      take?.(answer);
    };
  }

  async start(): Promise<void> {
    await this.#ask('Profiler.start');
  }

  async stop(): Promise<CpuProfile> {
    return ((await this.#ask('Profiler.stop')) as { profile: CpuProfile }).profile;
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string, params: object = {}): Promise<unknown> {
    const id = this.#next++;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result),
      );
    });
  }
}
