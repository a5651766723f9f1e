import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Ids } from '@plumb/schemas';
import { terminal } from '@plumb/schemas';
import { type PrivateFiles, realFiles } from '@plumb/schemas/files/private-file.ts';
import { NAME_PATTERN } from '@plumb/schemas/meta/schema.ts';
import { Turns } from '../turns.ts';

interface Kept {
  credential: string;
  /** Whether the control plane has said that it knows the credential. */
  joined: boolean;
  highestTerm: number;
}

/**
 * All that an agent keeps of its own about a host: the host's credential and the highest term that it has obeyed, in
 * `DATA_DIR/hosts/<host>.json`, readable by its owner only. A change is on the disk before its promise resolves.
 */
export class Identity {
  readonly host: string;
  readonly #path: string;
  readonly #ids: Ids;
  readonly #files: PrivateFiles;
  readonly #turns = new Turns();
  #kept: Kept;
  /** The term that is on the disk. */
  #savedTerm: number;

  private constructor(host: string, path: string, ids: Ids, files: PrivateFiles, kept: Kept) {
    this.host = host;
    this.#path = path;
    this.#ids = ids;
    this.#files = files;
    this.#kept = kept;
    this.#savedTerm = kept.highestTerm;
  }

  /** Reads what is kept of the host, or begins with a new credential. Throws `InvalidIdentity` (terminal). */
  static async load(dataDir: string, host: string, ids: Ids, files: PrivateFiles = realFiles): Promise<Identity> {
    if (!new RegExp(NAME_PATTERN).test(host))
      throw terminal(
        'InvalidHostName',
        `${JSON.stringify(host)} is not a host name: use lower case letters, digits and dashes, at most 63, beginning and ending with a letter or digit`,
      );
    const path = join(dataDir, 'hosts', `${host}.json`);
    return new Identity(host, path, ids, files, (await read(path, files)) ?? fresh(ids, 0));
  }

  /** A secret. Goes to the control plane in Attach, and nowhere else. */
  get credential(): string {
    return this.#kept.credential;
  }

  /** SHA-256 of the credential in lower case hex: what the control plane keeps. */
  get credentialSha256(): string {
    return createHash('sha256').update(this.#kept.credential).digest('hex');
  }

  get joined(): boolean {
    return this.#kept.joined;
  }

  get highestTerm(): number {
    return this.#kept.highestTerm;
  }

  /** Keeps the credential before it is asked for, so that a lost answer can be asked for again. */
  beforeJoin(): Promise<void> {
    return this.#save();
  }

  afterJoin(): Promise<void> {
    this.#kept.joined = true;
    return this.#save();
  }

  /** The control plane does not know the credential (any more): begin with a new one. */
  forgetCredential(): Promise<void> {
    this.#kept = fresh(this.#ids, this.#kept.highestTerm);
    return this.#save();
  }

  /** Remembers a term that is not lower than those before. */
  async raiseTerm(term: number): Promise<void> {
    if (term > this.#kept.highestTerm) this.#kept.highestTerm = term;
    if (term > this.#savedTerm) await this.#save();
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#turns.idle();
  }

  #save(): Promise<void> {
    return this.#turns.take('file', async () => {
      const { highestTerm } = this.#kept;
      await this.#files.write(this.#path, `${JSON.stringify(this.#kept)}\n`);
      this.#savedTerm = highestTerm;
    });
  }
}

function fresh(ids: Ids, highestTerm: number): Kept {
  return { credential: ids.secret(32), joined: false, highestTerm };
}

async function read(path: string, files: PrivateFiles): Promise<Kept | undefined> {
  const text = await files.read(path);
  if (text === undefined) return undefined;
  const kept = parse(text);
  if (kept === undefined)
    throw terminal(
      'InvalidIdentity',
      `${path} is damaged. Remove it, and free the host's name with \`plumb delete host\`, so that the host can join again`,
    );
  return kept;
}

function parse(text: string): Kept | undefined {
  try {
    const { credential, joined, highestTerm } = JSON.parse(text);
    const good =
      typeof credential === 'string' &&
      credential.length >= 32 &&
      typeof joined === 'boolean' &&
      Number.isSafeInteger(highestTerm);
    return good ? { credential, joined, highestTerm } : undefined;
  } catch {
    return undefined;
  }
}
