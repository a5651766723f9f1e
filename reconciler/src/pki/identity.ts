/** What the server shows of itself: its certificate and what stands above it, replaced while it runs. */
import {
  type Authority,
  type AuthorityFolder,
  authorityGood,
  openAuthority,
  permittedNames,
  planSuccessor,
} from './authority.ts';
import type { KeyPair } from './certificates.ts';
import { openServing, servingGood } from './serving.ts';
import { meet, type Span } from './span.ts';

/** The certificate that a TLS server shows, which may be replaced while it runs. */
export interface TlsIdentity {
  /** PEM text: the serving certificate, how earlier authorities vouched for the present one, and its authority. */
  current(): { cert: string; key: string };
  /** The same for agents: the authority comes first, since they look for it and hold it to their pin. */
  forAgents(): { cert: string; key: string };
  /** Calls `listener` after the certificate was replaced. Returns a function that ends it. */
  onRenewed(listener: () => void): () => void;
}

export interface IdentityOptions {
  folder: string;
  /** What the server may be called. */
  names: readonly string[];
  /** Those of them that a person asked for, and not only found on this machine. */
  asked: readonly string[];
  now: () => number;
  log: (line: string) => void;
}

export class ServerIdentity implements TlsIdentity {
  readonly #options: IdentityOptions;
  readonly #listeners = new Set<() => void>();
  #authority: Authority | undefined;
  #serving: KeyPair | undefined;
  /** The names that the authority may not vouch for, when they were last told of. */
  #toldOf = '';
  /** When everything is good as it is. */
  #good: Span = { from: 0, until: 0 };
  #turn: Promise<void> = Promise.resolve();
  /** A look that has not begun. */
  #waiting: Promise<void> | undefined;

  constructor(options: IdentityOptions) {
    this.#options = options;
  }

  get authority(): Authority {
    return got(this.#authority);
  }

  current(): { cert: string; key: string } {
    const { current, endorsements } = this.authority;
    const { certificate, key } = got(this.#serving);
    return { cert: certificate + endorsements + current.certificate, key };
  }

  forAgents(): { cert: string; key: string } {
    const { current, endorsements } = this.authority;
    const { certificate, key } = got(this.#serving);
    return { cert: certificate + current.certificate + endorsements, key };
  }

  onRenewed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks whether everything is still good, and replaces what is not. A look that has not begun serves all who ask for one. */
  refresh(): Promise<void> {
    this.#waiting ??= this.#inTurn(() => {
      this.#waiting = undefined;
      return this.#refresh();
    });
    return this.#waiting;
  }

  /** Whether a date has come at which something is to be replaced. */
  get due(): boolean {
    const now = this.#options.now();
    return now < this.#good.from || now >= this.#good.until;
  }

  /** Lets another authority take over at that time (milliseconds since the epoch); at once, if it is past. */
  replaceAuthority(at: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#authority = await planSuccessor(this.#where(), this.authority, at);
      await this.#refresh();
      // Clients are to trust the one that follows, too.
      this.#tell();
    });
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#turn;
  }

  async #refresh(): Promise<void> {
    const { folder, names, now, log } = this.#options;
    const before = [this.#authority, this.#serving].map((part) => JSON.stringify(part)).join();
    const authority = await openAuthority(this.#where());
    const permitted = permittedNames(authority.current.certificate, names);
    const missing = names.filter((name) => !permitted.includes(name)).join(', ');
    if (missing !== this.#toldOf) {
      this.#toldOf = missing;
      if (missing !== '')
        log(
          `the authority was not made for ${missing}: clients cannot use that name until it is replaced (plumb authority rotate)`,
        );
    }
    this.#serving = await openServing(folder, authority.current, permitted, now());
    this.#authority = authority;
    this.#good = meet(authorityGood(authority), servingGood(this.#serving.certificate));
    if (before !== [this.#authority, this.#serving].map((part) => JSON.stringify(part)).join()) this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #where(): AuthorityFolder {
    return { ...this.#options, now: this.#options.now() };
  }

  /** One at a time, since two would write the same files. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function got<T>(part: T | undefined): T {
  if (part === undefined) throw new TypeError('refresh() comes first');
  return part;
}
