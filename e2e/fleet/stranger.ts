import { Dial, type FrameCall } from '@plumb/agent/session/dial.ts';
import type { AgentMessage, ServerMessage } from '@plumb/schemas/wire/messages.ts';
import type { Plane } from './stage.ts';

/** Speaks the protocol by hand, as an agent that means no good would. */
export class Stranger {
  readonly dial: Dial;
  readonly heard: ServerMessage[] = [];
  readonly #call: FrameCall;
  readonly #waiting = new Set<() => void>();
  ended = false;

  /** `said`: in the metadata of the call; nothing, as an agent of the version before. */
  constructor(plane: Plane, said: Record<string, string> = {}) {
    this.dial = new Dial(plane.url, plane.pki.authority);
    this.#call = this.dial.connect(said);
    this.#call.on('data', ({ messages }) => {
      for (const message of messages) if (message.body !== 'broken') this.heard.push(message);
      for (const ask of this.#waiting) ask();
    });
    const end = () => {
      this.ended = true;
      for (const ask of this.#waiting) ask();
    };
    this.#call.on('error', end);
    this.#call.on('end', end);
  }

  say(...messages: AgentMessage[]): void {
    this.#call.write({ messages });
  }

  attach(host: string, credential: string): void {
    const attach = { credential, facts: null, highestTerm: 0, runningCommands: [], registerZone: '' };
    this.say({ host, body: 'attach', attach });
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const ask = () => {
        if (!holds()) return;
        this.#waiting.delete(ask);
        resolve();
      };
      this.#waiting.add(ask);
      ask();
    });
  }

  close(): void {
    this.#call.cancel();
    this.dial.close();
  }
}
