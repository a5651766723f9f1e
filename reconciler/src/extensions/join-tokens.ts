/** `/apis/plumb.dev/v1/jointokens`: makes, lists and revokes the tokens with which hosts join. */
import { terminal } from '@plumb/schemas';
import { shown } from '@plumb/schemas/project/shown.ts';
import { formatJoinToken } from '@plumb/schemas/wire/join-token.ts';
import type { Extension } from '../api/extension.ts';
import type { Admits, FoundToken, JoinTokens } from '../fleet/join-tokens.ts';

const PATH = '/apis/plumb.dev/v1/jointokens';
const HOUR_SECONDS = 3_600;

export function joinTokenExtensions(tokens: JoinTokens, caPin: () => string): Extension[] {
  const view = (token: FoundToken) => viewOf(tokens, token);
  return [
    {
      method: 'GET',
      path: PATH,
      async handle() {
        const items = (await tokens.list()).map(view);
        return { body: { apiVersion: 'plumb.dev/v1', kind: 'JoinTokenList', metadata: {}, items } };
      },
    },
    {
      method: 'POST',
      path: PATH,
      async handle(request) {
        const { admits, uses, ttlSeconds } = checked(await request.json());
        const made = await tokens.create({ admits, uses, ttlSeconds, by: request.user.name });
        return {
          status: 201,
          body: { ...view(made), token: formatJoinToken({ secret: made.secret, caPin: caPin() }) },
        };
      },
    },
    {
      method: 'DELETE',
      path: `${PATH}/{id}`,
      async handle({ params }) {
        await tokens.revoke(params.id!);
        return { body: { kind: 'Status', apiVersion: 'v1', status: 'Success' } };
      },
    },
  ];
}

function checked(body: unknown): { admits: Admits; uses: number; ttlSeconds: number } {
  const { host, zone, uses = 1, ttlSeconds = HOUR_SECONDS, ...others } = (body ?? {}) as Record<string, unknown>;
  // A bound that is not understood must not end in a token that lives longer than was meant.
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw terminal('BadRequest', `${shown(unknown)} is not known: send host or zone, uses, ttlSeconds`);
  if ((host === undefined) === (zone === undefined)) throw terminal('BadRequest', 'say either host or zone');
  const name = host ?? zone;
  if (typeof name !== 'string') throw terminal('BadRequest', 'host and zone are names');
  if (typeof uses !== 'number' || typeof ttlSeconds !== 'number')
    throw terminal('BadRequest', 'uses and ttlSeconds are numbers');
  return { admits: host === undefined ? { zone: name } : { host: name }, uses, ttlSeconds };
}

function viewOf(tokens: JoinTokens, token: FoundToken) {
  const { admits, uses, joined, createdAt, createdBy, expiresAt, revokedAt } = token.record;
  return {
    apiVersion: 'plumb.dev/v1',
    kind: 'JoinToken',
    metadata: { name: token.id, creationTimestamp: time(createdAt) },
    ...admits,
    uses,
    state: tokens.stateOf(token),
    expires: time(expiresAt),
    createdBy,
    ...(revokedAt === undefined ? {} : { revoked: time(revokedAt) }),
    joined: joined.map(({ host, at }) => ({ host, at: time(at) })),
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
