/** What the server has to know of the text of a state, and the one thing that it writes into it: another serial. */
import { hash } from 'node:crypto';
import { type PlumbError, terminal } from '@plumb/schemas';

export interface StateFacts {
  serial: number;
  lineage: string;
  terraformVersion: string;
  /** Instances of resources. */
  resources: number;
}

/** The format of states since Terraform 0.12. */
const FORMAT = 4;
const MOST_TEXT = 256;

/**
 * Facts of a state, from its text. Throws PlumbError `BadRequest` (terminal), which repeats nothing of the text, when Terraform would
 * not take it as a state, or could take it for another one than we do.
 */
export function factsOf(text: string): StateFacts {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw noState('it is not JSON');
  }
  if (!isRecord(value)) throw noState('it is no JSON object');
  const spans = spansOf(text);
  // Go's decoder takes names in any case, and of two that are the same the later one.
  const folded = new Set([...spans.keys()].map((name) => name.toLowerCase()));
  if (folded.size < spans.size || spans.twice) throw noState('a field stands twice in it');
  const { version, serial, lineage, terraform_version: terraformVersion = '', resources = [] } = value;
  if (version !== FORMAT) throw noState(`its version is not ${FORMAT}`);
  if (!Number.isSafeInteger(serial) || (serial as number) < 0) throw noState('its serial is no whole number');
  if (typeof lineage !== 'string' || lineage === '' || lineage.length > MOST_TEXT) throw noState('it has no lineage');
  if (typeof terraformVersion !== 'string' || terraformVersion.length > MOST_TEXT)
    throw noState('its terraform_version is no version');
  if (resources !== null && !Array.isArray(resources)) throw noState('its resources are no list');
  return {
    serial: serial as number,
    lineage,
    terraformVersion,
    resources: instancesIn((resources ?? []) as unknown[]),
  };
}

function instancesIn(resources: readonly unknown[]): number {
  let count = 0;
  for (const resource of resources) {
    const { mode, instances } = isRecord(resource) ? resource : {};
    if (mode !== 'data' && Array.isArray(instances)) count += instances.length;
  }
  return count;
}

/** The same state with another serial. Every other byte stays: numbers of Terraform can be more exact than ours. */
export function withSerial(text: string, serial: number): string {
  const span = spansOf(text).get('serial');
  if (!span) throw noState('it has no serial');
  return text.slice(0, span[0]) + String(serial) + text.slice(span[1]);
}

/** A state that holds nothing, which Terraform takes as it takes none. */
export function emptyState(lineage: string): string {
  const state = { version: FORMAT, terraform_version: '1.0.0', serial: 0, lineage, outputs: {}, resources: [] };
  return `${JSON.stringify(state)}\n`;
}

export function sha256(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex');
}

type Spans = Map<string, [from: number, to: number]> & { twice?: true };

/** Where the value of each field of the object begins and ends. `text`: JSON that was parsed. */
function spansOf(text: string): Spans {
  const spans: Spans = new Map();
  let at = text.indexOf('{') + 1;
  for (;;) {
    at = pastSpace(text, at);
    if (text[at] === ',') at = pastSpace(text, at + 1);
    if (text[at] !== '"') return spans;
    const end = pastString(text, at);
    const name = JSON.parse(text.slice(at, end)) as string;
    const from = pastSpace(text, text.indexOf(':', end) + 1);
    at = pastValue(text, from);
    if (spans.has(name)) spans.twice = true;
    spans.set(name, [from, at]);
  }
}

function pastSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at++;
  return at;
}

function pastString(text: string, from: number): number {
  for (let at = from + 1; ; at++) {
    at = text.indexOf('"', at);
    let slashes = 0;
    while (text[at - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
}

const STOP = /["{}[\],\s]/g;

function pastValue(text: string, from: number): number {
  let at = from;
  let depth = 0;
  do {
    const character = text[at]!;
    if (character === '"') at = pastString(text, at);
    else if (character === '{' || character === '[') {
      depth++;
      at++;
    } else if (character === '}' || character === ']') {
      depth--;
      at++;
    } else {
      // Numbers, words, and what stands between values.
      STOP.lastIndex = at + 1;
      at = STOP.test(text) ? STOP.lastIndex - 1 : text.length;
    }
  } while (depth > 0);
  return at;
}

function noState(why: string): PlumbError {
  return terminal('BadRequest', `the body is no state of Terraform: ${why}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
