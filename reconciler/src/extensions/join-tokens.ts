/** `/apis/plumb.dev/v1/jointokens`: makes, lists and revokes the tokens with which hosts join. */
import { terminal } from '@plumb/schemas';
import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { formatJoinToken } from '@plumb/schemas/wire/join-token.ts';
import { type Extension, taking } from '../api/extension.ts';
import type { Admits, FoundToken, JoinTokens } from '../fleet/join-tokens.ts';

const PATH = '/apis/plumb.dev/v1/jointokens';
const HOUR_SECONDS = 3_600;

/** A bound that is not understood must not end in a token that lives longer than was meant: its endpoint is strict. */
const TOKEN = {
  type: 'object',
  additionalProperties: false,
  properties: {
    host: { type: 'string', description: 'Name of the one host that it admits.' },
    zone: { type: 'string', description: 'Zone of the hosts that it admits, whatever their names are.' },
    uses: { type: 'integer', description: 'How often it admits a host; once, if absent.' },
    ttlSeconds: { type: 'integer', description: 'How long it is valid; an hour, if absent.' },
  },
} as const;

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
      strict: true,
      ...taking(TOKEN, async ({ host, zone, uses = 1, ttlSeconds = HOUR_SECONDS }: ValueOf<typeof TOKEN>, { user }) => {
        const made = await tokens.create({ admits: admitted(host, zone), uses, ttlSeconds, by: user.name });
        return {
          status: 201,
          body: { ...view(made), token: formatJoinToken({ secret: made.secret, caPin: caPin() }) },
        };
      }),
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

function admitted(host: string | undefined, zone: string | undefined): Admits {
  if (host !== undefined && zone === undefined) return { host };
  if (zone !== undefined && host === undefined) return { zone };
  throw terminal('BadRequest', 'say either host or zone');
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
