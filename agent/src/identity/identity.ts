import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Ids } from '@plumb/schemas';
import { terminal } from '@plumb/schemas';
import { type PrivateFiles, realFiles } from '@plumb/schemas/files/private-file.ts';
import { NAME_PATTERN } from '@plumb/schemas/meta/schema.ts';
import { Turns } from '../turns.ts';

/** Who the host is to one control plane. */
interface Kept {
  credential: string;
  /** Whether the control plane has said that it knows the credential. */
  joined: boolean;
  highestTerm: number;
  /** Pin of its authority; absent while the host has not heard of one. */
  authority?: string;
}

/** Control planes that are remembered beside the present one; the longest unheard are forgotten first. */
const MOST_OTHERS = 16;

/**
 * All that an agent keeps of its own about a host: a credential and the highest term that it has obeyed, for each control plane
 * that it was pointed at, in `DATA_DIR/hosts/<host>.json`, readable by its owner only. A change is on the disk before its promise
 * resolves. No credential is thrown away: a control plane that does not know it is asked to let it in.
 */
export class Identity {
  readonly host: string;
  readonly #path: string;
  readonly #ids: Ids;
  readonly #files: PrivateFiles;
  readonly #turns = new Turns();
  #kept: Kept;
  #others: Kept[];
  /** The term that is on the disk. */
  #savedTerm: number;
  #hopes = false;
  /** Whether the file still names another control plane first. */
  #moved = false;

  private constructor(host: string, path: string, ids: Ids, files: PrivateFiles, [kept, ...others]: [Kept, ...Kept[]]) {
    this.host = host;
    this.#path = path;
    this.#ids = ids;
    this.#files = files;
    this.#kept = kept;
    this.#others = others;
    this.#savedTerm = kept.highestTerm;
  }

  /**
   * Reads what is kept of the host, or begins with a new credential. `authority`: pin of the control plane that was heard last, for
   * a file of a version that did not write it down. Throws `InvalidIdentity` (terminal).
   */
  static async load(
    dataDir: string,
    host: string,
    ids: Ids,
    files: PrivateFiles = realFiles,
    authority?: string,
  ): Promise<Identity> {
    if (!new RegExp(NAME_PATTERN).test(host))
      throw terminal(
        'InvalidHostName',
        `${JSON.stringify(host)} is not a host name: use lower case letters, digits and dashes, at most 63, beginning and ending with a letter or digit`,
      );
    const path = join(dataDir, 'hosts', `${host}.json`);
    const found = await read(path, host, files);
    if (found && authority !== undefined) found[0].authority ??= authority;
    return new Identity(host, path, ids, files, found ?? [fresh(ids)]);
  }

  /**
   * From now on the host is who it is to the control plane whose authority has the first of these pins, and had the others before.
   * To one that it has not met it is somebody new.
   */
  serve(pins: readonly string[]): void {
    const [pin] = pins;
    const own = this.#kept.authority;
    if (own === pin) return;
    this.#moved = true;
    if (own === undefined || pins.includes(own)) {
      this.#kept.authority = pin;
      return;
    }
    const all = [this.#kept, ...this.#others];
    const next = all.find(({ authority }) => authority !== undefined && pins.includes(authority)) ?? fresh(this.#ids);
    this.#others = all.filter((one) => one !== next).slice(0, MOST_OTHERS);
    next.authority = pin;
    this.#kept = next;
    this.#savedTerm = next.highestTerm;
    this.#hopes = false;
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

  /** Whether the credential may be known: the host has joined, or was refused and a person may have let it in since. */
  get mayBeKnown(): boolean {
    return this.#kept.joined || this.#hopes;
  }

  get highestTerm(): number {
    return this.#kept.highestTerm;
  }

  /** Keeps the credential before it is asked for, so that a lost answer can be asked for again. */
  beforeJoin(): Promise<void> {
    return this.#save();
  }

  /** The control plane knows the credential. */
  async afterJoin(): Promise<void> {
    if (this.#kept.joined && !this.#moved) return;
    this.#kept.joined = true;
    await this.#save();
  }

  /** It may not join: before it asks again, the credential is tried. */
  hope(): void {
    this.#hopes = true;
  }

  /** The control plane does not know the credential (any more): it is to be asked to let it in. */
  unknown(): void {
    this.#kept.joined = false;
    this.#hopes = false;
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
      const whole = { ...this.#kept, ...(this.#others.length > 0 ? { others: this.#others } : {}) };
      this.#moved = false;
      await this.#files.write(this.#path, `${JSON.stringify(whole)}\n`);
      this.#savedTerm = highestTerm;
    });
  }
}

function fresh(ids: Ids): Kept {
  return { credential: ids.secret(32), joined: false, highestTerm: 0 };
}

/** The present one first. */
async function read(path: string, host: string, files: PrivateFiles): Promise<[Kept, ...Kept[]] | undefined> {
  const text = await files.read(path);
  if (text === undefined) return undefined;
  const found = parse(text);
  if (found === undefined)
    throw terminal(
      'InvalidIdentity',
      `${path} is damaged. Remove it and start the agent again; then let the host in with its new credential: plumb host readmit ${host} --credential FINGERPRINT, which the agent's log says`,
    );
  return found;
}

function parse(text: string): [Kept, ...Kept[]] | undefined {
  try {
    const { others = [], ...kept } = JSON.parse(text);
    const all = [kept, ...others].map(keptFrom);
    return all.every((one) => one !== undefined) ? (all as [Kept, ...Kept[]]) : undefined;
  } catch {
    return undefined;
  }
}

function keptFrom({ credential, joined, highestTerm, authority }: Partial<Kept>): Kept | undefined {
  const good =
    typeof credential === 'string' &&
    credential.length >= 32 &&
    typeof joined === 'boolean' &&
    Number.isSafeInteger(highestTerm) &&
    (authority === undefined || typeof authority === 'string');
  if (!good) return undefined;
  return { credential, joined, highestTerm: highestTerm!, ...(authority === undefined ? {} : { authority }) };
}
