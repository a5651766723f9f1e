import { terminal } from '../meta/error.ts';
import { type AgentLimits, agentLimitDefinitions } from './agent.ts';
import { limitsFrom, limitsSchema } from './define.ts';
import { type ServerLimits, serverLimitDefinitions } from './server.ts';

export interface LimitsFile {
  server: ServerLimits;
  agent: AgentLimits;
}

/**
 * Reads the text of a limits file: `{"server": {…}, "agent": {…}}`, each section and each limit optional; `$schema` is for
 * editors. Throws PlumbError `InvalidLimits` (terminal) that says what is wrong in it. `path` is where it comes from.
 */
export function parseLimitsFile(text: string, path = 'that was given'): LimitsFile {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw terminal('InvalidLimits', `the limits file ${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof file !== 'object' || file === null || Array.isArray(file))
    throw terminal('InvalidLimits', `the limits file ${path} must be an object with the sections server and agent`);
  const { server, agent, $schema: _, ...others } = file as Record<string, unknown>;
  const unknown = Object.keys(others);
  if (unknown.length > 0)
    throw terminal(
      'InvalidLimits',
      `the limits file ${path} has the sections server and agent, not ${unknown.join(', ')}`,
    );
  return {
    server: limitsFrom(serverLimitDefinitions, server, 'server'),
    agent: limitsFrom(agentLimitDefinitions, agent, 'agent'),
  };
}

/** JSON Schema (2020-12) of the limits file. */
export function limitsFileSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Limits of plumb server and plumb agent',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      server: limitsSchema(serverLimitDefinitions),
      agent: limitsSchema(agentLimitDefinitions),
    },
  };
}
