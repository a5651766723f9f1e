/**
 * A case of the corpus: requests that are sent in turn to a server that the case does not share names with. In paths, headers
 * and bodies `{ns}` is a namespace of its own, `{id}` a name that no other case uses, and `{a.rv}`, `{a.uid}`, `{a.continue}` are
 * from the answer that was saved as `a`.
 */
export interface Case {
  /** Unique in its class; letters, digits and dashes. */
  name: string;
  steps: readonly Step[];
}

export type Step = Ask | WatchStep;

export interface Ask {
  /** GET, if absent. */
  method?: string;
  path: string;
  /** Sent as JSON; a string as it is. */
  body?: unknown;
  /** Beside the token; `content-type` is application/json where there is a body. */
  headers?: Readonly<Record<string, string>>;
  /** Under which name following steps find what was answered. */
  save?: string;
  /** Made ready for others: its answer must be a success, and is not compared. */
  setUp?: true;
  /** Only these parts of the body are compared, since the others are of what only one of the servers has. */
  pick?: readonly string[];
  /** Without a token. */
  anonymous?: true;
  /** The body bears the resourceVersion that the object has now. */
  fresh?: true;
  /** Asked again until the status is this one, or a time has gone: what happens by itself later. */
  until?: number;
}

export interface WatchStep {
  /** Path of the watch. */
  watch: string;
  headers?: Readonly<Record<string, string>>;
  /** What happens while it is open. */
  during?: readonly Ask[];
}

/** What is kept of an answer: the whole, with names for what differs from run to run. */
export interface Transcript {
  request: string;
  status: number;
  headers: Record<string, string>;
  body?: unknown;
  /** Of a watch. */
  events?: unknown[];
}

/** Cases of one kind, by what they are about. */
export interface CorpusClass {
  name: string;
  cases: readonly Case[];
}
