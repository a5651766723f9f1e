/** YAML text as plain values, each with the lines that it came from. */

import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';
import { type FieldError, terminal } from '../meta/error.ts';
import { Mistakes } from '../project/validate-mistakes.ts';
import { type JsonPart, jsonParts } from './json-stream.ts';
import { ambiguity } from './scalars.ts';

export interface YamlDocument {
  value: unknown;
  /** `file:line` of the field, or of the nearest thing around it that is there. */
  locate(path: readonly (string | number)[]): string;
}

/** Throws PlumbError `BadManifest` (terminal) with every mistake, each named by file and line. */
export function readYaml(text: string, file: string): YamlDocument[] {
  const mistakes = new Mistakes();
  const parts = jsonParts(text) ?? [{ text, line: 1 }];
  const read = parts.flatMap((part) => readPart(part, file, mistakes));
  if (mistakes.count > 0) throw badManifest(mistakes.list());
  return read.map(({ document, at }) => ({
    value: plainValue(document, file),
    locate: (path) => at(nodeAt(document, path)),
  }));
}

type At = (offset: number | undefined) => string;

function readPart({ text, line }: JsonPart, file: string, mistakes: Mistakes): { document: Document; at: At }[] {
  const lines = new LineCounter();
  const documents = documentsOf(text, file, lines);
  const at: At = (offset) => `${file}:${lines.linePos(offset ?? 0).line + line - 1}`;
  for (const document of documents) {
    // Behind the first mistake the parser has lost its way: what it says of the rest follows from that.
    const [broken] = document.errors;
    if (broken) mistakes.take([{ field: at(broken.pos[0]), message: broken.message.split('\n', 1)[0]! }]);
    else lookThrough(document, at, mistakes);
  }
  return documents
    .filter((document) => document.contents !== null && !isEmpty(document))
    .map((document) => ({ document, at }));
}

/** The error for manifests that cannot be used; `mistakes` name places or fields. */
export function badManifest(mistakes: FieldError[]) {
  const list = mistakes.map(({ field, message }) => `${field}: ${message}`).join('\n  ');
  return terminal('BadManifest', mistakes.length === 1 ? list : `${mistakes.length} mistakes:\n  ${list}`, mistakes);
}

/** Throws PlumbError `BadManifest` for a text that lies too deep to be read. */
function documentsOf(text: string, file: string, lineCounter: LineCounter): Document[] {
  // The core schema of YAML 1.2, with the merge keys that kubectl knows. The parser compares each key with each other one:
  // whether they are unique is looked at below.
  const options = {
    lineCounter,
    merge: true,
    schema: 'core',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  } as const;
  const parsed = within(file, () => withoutStacks(() => parseAllDocuments(text, options)));
  return Array.isArray(parsed) ? parsed : [];
}

/** The parser makes an Error of each mistake. Where in the parser it was made takes longer to note than to find it. */
function withoutStacks<T>(parse: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parse();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function plainValue(document: Document, file: string): unknown {
  return within(file, () => document.toJS({ maxAliasCount: MOST_ALIASES }));
}

/** How often what an anchor names may be repeated in all. */
const MOST_ALIASES = 100;

/** What the parser throws, as a mistake of the file. */
function within<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = error instanceof RangeError ? 'lies deeper than can be read' : (error as Error).message;
    throw badManifest([{ field: file, message: why }]);
  }
}

/** Keys that stand twice, and scalars that others read differently. */
function lookThrough(document: Document, at: At, mistakes: Mistakes): void {
  const mistake = (offset: number | undefined, message: string) => {
    if (mistakes.isFull) mistakes.addUntold(1);
    else mistakes.take([{ field: at(offset), message }]);
  };
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        // Two merges of one map are one after the other.
        if (!isScalar(key) || key.value === '<<') continue;
        if (seen.has(key.value)) mistake(key.range?.[0], 'Map keys must be unique');
        else seen.add(key.value);
      }
    },
    Scalar(_, node) {
      if (node.tag && !node.tag.startsWith('tag:yaml.org,2002:')) {
        mistake(node.range?.[0], `the tag ${node.tag.slice(0, 80)} is not known`);
      }
      if (node.type !== 'PLAIN' || node.source === undefined || node.tag !== undefined) return;
      const why = ambiguity(node.source, node.value);
      if (why) mistake(node.range?.[0], why);
    },
  });
}

function isEmpty(document: Document): boolean {
  return isScalar(document.contents) && document.contents.value === null;
}

/** Offset of the node at the path, or of the last one on the way to it. */
function nodeAt(document: Document, path: readonly (string | number)[]): number | undefined {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0];
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) break;
      offset = (pair.key as { range?: [number, number, number] }).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as { range?: [number, number, number] } | undefined)?.range?.[0] ?? offset;
    } else {
      break;
    }
  }
  return offset;
}
