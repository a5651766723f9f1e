import { terminal } from '@plumb/schemas/meta/error.ts';
import { age } from '@plumb/schemas/project/columns-age.ts';
import { type Command, parseCommand, withSession } from '../command.ts';
import { parseDuration } from '../duration.ts';
import type { Surroundings } from '../surroundings.ts';
import { renderTable } from '../table.ts';

const JOIN_TOKENS = '/apis/plumb.dev/v1/jointokens';

/** What the server says of a join token. */
interface JoinToken {
  metadata: { name: string };
  host?: string;
  zone?: string;
  uses: number;
  state: string;
  expires: string;
  createdBy: string;
  joined: { host: string; at: string }[];
  /** Told once. */
  token?: string;
}

export const joinToken: Command = {
  usage: `plumb join-token create (--host NAME | --zone ZONE) [--uses 1] [--ttl 1h]
plumb join-token list
plumb join-token revoke ID

create prints the token, which is shown only here: put it into a file on the host, readable by root alone, and name the file
with plumb agent --token-file FILE.
--host: admits the host of that name, declared or not. --zone: admits hosts that are not declared; their agents declare them in
that zone with --register ZONE. --uses: how many hosts may join. --ttl: for how long, e.g. 30m, 24h.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {
      host: { type: 'string' },
      zone: { type: 'string' },
      uses: { type: 'string', default: '1' },
      ttl: { type: 'string', default: '1h' },
    });
    const [verb, ...names] = positionals;
    return withSession(values, surroundings, async ({ client }) => {
      if (verb === 'create' && names.length === 0) {
        const { host, zone } = values as { host?: string; zone?: string };
        if ((host === undefined) === (zone === undefined))
          throw terminal('BadArgument', 'name the host or the zone that the token admits: --host NAME or --zone ZONE');
        const ttlSeconds = Math.ceil(parseDuration(values.ttl as string, '--ttl') / 1000);
        const uses = Number(values.uses);
        if (!Number.isInteger(uses)) throw terminal('BadArgument', '--uses must be a whole number');
        const made: JoinToken = await client.send('POST', JOIN_TOKENS, { body: { host, zone, uses, ttlSeconds } });
        surroundings.out(`${made.token}\n`);
        surroundings.err(`join token ${made.metadata.name} admits ${whom(made)}; it expires at ${made.expires}\n`);
        return 0;
      }
      if (verb === 'list' && names.length === 0) {
        list((await client.send('GET', JOIN_TOKENS)).items, surroundings);
        return 0;
      }
      if (verb === 'revoke' && names.length === 1) {
        await client.send('DELETE', `${JOIN_TOKENS}/${encodeURIComponent(names[0]!)}`);
        surroundings.out(`join token ${names[0]} was revoked; hosts that have joined by it stay\n`);
        return 0;
      }
      throw terminal('BadArgument', 'plumb join-token create, list or revoke ID; plumb join-token --help says more');
    });
  },
};

function list(tokens: readonly JoinToken[], { out, err, clock }: Surroundings): void {
  if (tokens.length === 0) {
    err('there are no join tokens\n');
    return;
  }
  const now = clock.now();
  const rows = tokens.map((token) => {
    const left = Date.parse(token.expires) - now;
    return [
      token.metadata.name,
      token.host ? `host ${token.host}` : `zone ${token.zone}`,
      token.state,
      `${token.joined.length} of ${token.uses}`,
      left > 0 ? `in ${age(left)}` : `${age(-left)} ago`,
      token.createdBy,
      token.joined.map(({ host, at }) => `${host} ${age(now - Date.parse(at))} ago`).join(', ') || '<none>',
    ];
  });
  out(renderTable(['Id', 'Admits', 'State', 'Used', 'Expires', 'By', 'Joined'], rows));
}

function whom({ host, zone, uses }: JoinToken): string {
  if (host !== undefined) return `host ${host}`;
  return uses === 1
    ? `one host that is not declared, in zone ${zone}`
    : `${uses} hosts that are not declared, in zone ${zone}`;
}
