/** The wire as the version before has it, for tests of both ends. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { compileSchema } from '../../project/validate-compile.ts';
import { Mistakes } from '../../project/validate-mistakes.ts';
import type { SchemaNode } from '../../project/validate-schema.ts';

/** What crossed the wire of version 1. */
export interface Crossed {
  /** Names of the messages, e.g. `command`. */
  messages: Set<string>;
  /** Messages that version 1 does not have: how many were dropped on their way to whom. */
  dropped: { agent: number; server: number };
  /** Declarations that a peer of version 1 would refuse. */
  refused: string[];
}

const testdata = (name: string) => readFileSync(new URL(`../testdata/${name}`, import.meta.url));

/**
 * Version 1, of which nothing is kept but its proto and the shapes of what it declares: between a peer of today and this wire there
 * might as well be one of version 1. It has no metadata; what it does not know is passed over.
 */
export function versionOne() {
  const { root } = protobuf.parse(testdata('version-1.proto').toString());
  const specs = JSON.parse(testdata('version-1-specs.json').toString()) as Record<string, SchemaNode>;
  const checks = new Map(Object.entries(specs).map(([kind, schema]) => [kind, compileSchema(schema)]));
  const crossed: Crossed = { messages: new Set(), dropped: { agent: 0, server: 0 }, refused: [] };
  const through = (type: protobuf.Type, to: 'agent' | 'server') => (bytes: Buffer) => {
    const frame = type.toObject(type.decode(bytes), { defaults: false, oneofs: true }) as { messages?: Message[] };
    const known = (frame.messages ?? []).filter(({ body }) => body !== undefined);
    crossed.dropped[to] += (frame.messages ?? []).length - known.length;
    for (const message of known) {
      crossed.messages.add(message.body!);
      for (const thing of thingsOf(message)) {
        const mistakes = new Mistakes();
        const check = checks.get(thing.kind ?? '');
        check?.(JSON.parse(thing.spec ?? 'null'), mistakes);
        if (check === undefined || mistakes.count > 0)
          crossed.refused.push(`${thing.kind}: ${mistakes.list().map(({ field, message }) => `${field} ${message}`)}`);
      }
    }
    return Buffer.from(type.encode(type.fromObject({ messages: known })).finish());
  };
  return {
    crossed,
    metadata: () => ({}),
    agent: through(root.lookupType('plumb.agent.v1.AgentFrame'), 'server'),
    server: through(root.lookupType('plumb.agent.v1.ServerFrame'), 'agent'),
  };
}

interface Thing {
  kind?: string;
  spec?: string;
}

interface Message {
  body?: string;
  command?: { steps?: { verb?: number; thing?: Thing }[] };
}

/** What a command has made. */
function thingsOf({ command }: Message): Thing[] {
  return (command?.steps ?? []).flatMap(({ verb, thing }) => (verb === 1 && thing ? [thing] : []));
}
