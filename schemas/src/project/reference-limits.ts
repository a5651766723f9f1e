/** The limits of server and agent for people: docs/reference/limits.md, and what `plumb limits` prints. */
import { agentLimitDefinitions } from '../limits/agent.ts';
import type { LimitDefinition, LimitDefinitions } from '../limits/define.ts';
import { serverLimitDefinitions } from '../limits/server.ts';
import { markdownTable } from './reference-fields.ts';

/** The sections of the limits file, each with its limits. */
export const limitSections: Readonly<Record<'server' | 'agent', LimitDefinitions>> = {
  server: serverLimitDefinitions,
  agent: agentLimitDefinitions,
};

/** The whole page. */
export function limitsPage(): string {
  const parts = [
    '<!-- This page is written by `node scripts/build-docs.ts` from `schemas/src/limits/`. -->',
    '# Limits',
    'Everything that comes from outside is bounded. `plumb server --limits FILE` and `plumb agent --limits FILE` take other bounds from one JSON file with the sections `server` and `agent`; what it does not set keeps its default. `plumb limits` prints this list, `plumb limits --json-schema` the JSON Schema of the file.',
    '```json\n{\n  "$schema": "limits.schema.json",\n  "server": { "hostsPerStream": 200000 },\n  "agent": {}\n}\n```',
    'The last word of a name is its unit; without one it is a count.',
    ...Object.entries(limitSections).flatMap(([section, limits]) => [`## ${section}`, table(limits)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** As text for a terminal: each limit with its default and range, what it bounds, and what happens above it. */
export function limitsText(): string {
  return Object.entries(limitSections)
    .map(([section, limits]) => `${section}\n${Object.entries(limits).map(limitText).join('')}`)
    .join('\n');
}

function limitText([name, limit]: [string, LimitDefinition]): string {
  return `  ${name} = ${limit.default}   (${rangeOf(limit)})\n      ${limit.description}\n      Above: ${limit.above}\n`;
}

function table(limits: LimitDefinitions): string {
  const rows = Object.entries(limits).map(([name, limit]) => [
    `\`${name}\``,
    String(limit.default),
    rangeOf(limit),
    limit.description,
    limit.above,
  ]);
  return markdownTable(['Limit', 'Default', 'Range', 'What is bounded', 'What happens above'], rows);
}

function rangeOf({ minimum, maximum }: LimitDefinition): string {
  return `${minimum} to ${maximum}`;
}
