/** What follows the records under a prefix. Nothing of it may throw. */
export interface Follower {
  /** Beginning of the keys that it follows; no two followers have a key in common. */
  readonly prefix: string;
  /**
   * The record at the key has this value since `revision`; undefined: it is gone. A commit of our own may be known already.
   * `first`: one of very many, read at the start.
   */
  take(key: string, value: string | undefined, revision: number, first: boolean): void;
  /** Revision of the record at the key, as far as the follower has it. */
  knownRevision(key: string): number | undefined;
  /** Keys of all records that it has. */
  knownKeys(): Iterable<string>;
  /** All of the commit at `revision`, and of those before, was given. `loaded`: read anew, not commit by commit. */
  reached?(revision: number, loaded: boolean): void;
}
