/**
 * What an agent says in the metadata of its call, before it sends a frame: which host opens the stream, that host's
 * credential, the version of the protocol that the agent speaks, and the types of resources that it handles. The server
 * answers with its own version in the header of the response. An agent of version 1 says nothing here.
 */
import { terminal } from '../meta/error.ts';
import { type ResourceType, resourceTypes } from '../resources/host-resources.ts';
import { isTypeName } from '../resources/registry.ts';

/** The version that is spoken here. A peer of the version before or after is understood. */
export const PROTOCOL = 2;
const OLDEST = 1;

const HOST = 'plumb-host';
const CREDENTIAL = 'authorization';
const VERSION = 'plumb-protocol';
const TYPES = 'plumb-types';
const BEARER = 'Bearer ';

/** What agents of version 1 handle. */
const FIRST_TYPES: readonly ResourceType[] = ['image', 'bridge', 'subnet', 'disk', 'seed', 'port', 'domain'];

/** What every call says. */
export interface CallFacts {
  protocol: number;
  /** Types of resources that the agent handles. */
  types: readonly string[];
  /** Who opens the stream; undefined from an agent of version 1, which says it in its first message. */
  bearer: { host: string; credential: string } | undefined;
}

/** Metadata of a call that this host opens, by name. */
export function callMetadata(host: string, credential: string): Record<string, string> {
  return {
    [HOST]: host,
    [CREDENTIAL]: `${BEARER}${credential}`,
    [VERSION]: String(PROTOCOL),
    [TYPES]: resourceTypes.types.join(','),
  };
}

/** What the server adds to the header of its response. */
export const answerMetadata: Readonly<Record<string, string>> = { [VERSION]: String(PROTOCOL) };

/** `headers` as node gives them. Throws PlumbError `InvalidCall` or `UnknownProtocol` (terminal); holds no secret. */
export function readCallMetadata(headers: Readonly<Record<string, string | string[] | undefined>>): CallFacts {
  const host = one(headers, HOST);
  const credential = one(headers, CREDENTIAL);
  if (host === undefined && credential === undefined)
    return { protocol: OLDEST, types: FIRST_TYPES, bearer: undefined };
  if (host === undefined || !credential?.startsWith(BEARER))
    throw terminal('InvalidCall', `the call needs ${HOST} and ${CREDENTIAL} in its metadata: update the agent`);
  const version = one(headers, VERSION) ?? '';
  const protocol = /^\d{1,4}$/.test(version) ? Number(version) : 0;
  if (protocol < OLDEST || protocol > PROTOCOL + 1)
    throw terminal(
      'UnknownProtocol',
      `this server speaks version ${PROTOCOL} of the agents' protocol, and those before and after it: bring agent and server to neighbouring versions`,
    );
  const types = (one(headers, TYPES) ?? '').split(',', MOST_TYPES).filter((type) => isTypeName(type));
  return { protocol, types, bearer: { host, credential: credential.slice(BEARER.length) } };
}

const MOST_TYPES = 256;

function one(headers: Readonly<Record<string, string | string[] | undefined>>, name: string): string | undefined {
  const value = headers[name];
  if (Array.isArray(value)) throw terminal('InvalidCall', `the metadata of the call holds ${name} more than once`);
  return value;
}
