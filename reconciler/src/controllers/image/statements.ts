/**
 * What hosts have said of an image that they could not make. A host may be wrong, broken or lie, so that its word is believed of
 * itself; of the image only what two have said, or all that there are.
 */
import { PlumbError } from '@plumb/schemas';

/** Failures of what was fetched, which are the same on every host. */
export const OF_CONTENT: ReadonlySet<string> = new Set([
  ...['ChecksumMismatch', 'ImageInvalid', 'ImageTooLarge', 'ImageTooSlow'],
]);

/** Hosts that say that the content is wrong, until it counts as wrong. */
const WITNESSES = 2;
/** Hosts that are asked for an image that each refuses for a reason of its own. */
const ASKED = 3;

export class Statements {
  /** What was declared. */
  readonly inputs: string;
  readonly #isKnown: boolean;
  /** Host → why it will not make it. */
  readonly #refused = new Map<string, PlumbError>();
  /** Host → how often it failed otherwise. */
  readonly #failed = new Map<string, number>();

  /** `isKnown`: an earlier control plane has found that the content is wrong. */
  constructor(inputs: string, isKnown: boolean) {
    this.inputs = inputs;
    this.#isKnown = isKnown;
  }

  get isEmpty(): boolean {
    return !this.#isKnown && this.#refused.size === 0;
  }

  /** Whether nothing that another host says could change anything. */
  get isFinal(): boolean {
    return this.#isKnown || this.#witnesses().length >= WITNESSES || this.#refused.size >= ASKED;
  }

  /** The hosts that may be asked, the most promising first. */
  order(hosts: readonly string[]): string[] {
    if (this.isFinal) return [];
    return hosts
      .filter((host) => !this.#refused.has(host))
      .sort((a, b) => (this.#failed.get(a) ?? 0) - (this.#failed.get(b) ?? 0))
      .slice(0, ASKED);
  }

  /** The host says this. Returns what is to be said of the image, if nobody says otherwise. */
  note(host: string, error: PlumbError): PlumbError {
    if (error.retry === 'terminal') this.#refused.set(host, error);
    else this.#failed.set(host, (this.#failed.get(host) ?? 0) + 1);
    const witnesses = OF_CONTENT.has(error.reason) ? this.#witnesses() : [host];
    const whose = witnesses.length > 1 ? `hosts ${witnesses.join(', ')}` : `host ${host}`;
    return new PlumbError({
      reason: error.reason,
      message: `${error.message} (${whose})`,
      retry: error.retry,
      cause: error,
    });
  }

  /** Its agent may allow other sources now, or have the file, or the user who fetches. */
  hostChanged(host: string): void {
    const error = this.#refused.get(host);
    if (error && !OF_CONTENT.has(error.reason)) this.#refused.delete(host);
  }

  #witnesses(): string[] {
    return [...this.#refused].filter(([, { reason }]) => OF_CONTENT.has(reason)).map(([host]) => host);
  }
}
