/** `/apis/plumb.dev/v1/admintoken` and `authority`: the administrator's token and the authority, replaced while the server runs. */
import { terminal } from '@plumb/schemas';
import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { type Extension, taking } from '../api/extension.ts';
import type { Pki } from '../pki/open.ts';

const V1 = '/apis/plumb.dev/v1';

const ROTATION = {
  type: 'object',
  additionalProperties: false,
  required: ['overlapSeconds'],
  properties: {
    overlapSeconds: {
      type: 'integer',
      minimum: 0,
      description: 'How long the authority of now is still trusted.',
    },
  },
} as const;

export function credentialExtensions(
  pki: Pki,
  now: () => number,
  { authorityOverlapSeconds: longest }: Pick<ServerLimits, 'authorityOverlapSeconds'>,
): Extension[] {
  const authority = () => ({
    apiVersion: 'plumb.dev/v1',
    kind: 'Authority',
    ...pki.authorityView(),
    certificates: pki.authority,
  });
  return [
    {
      method: 'POST',
      path: `${V1}/admintoken/rotate`,
      /** The answer goes to the one who bears the token of before, over the connection that he trusts. */
      async handle() {
        return { body: { apiVersion: 'plumb.dev/v1', kind: 'AdminToken', token: await pki.rotateAdminToken() } };
      },
    },
    {
      method: 'GET',
      path: `${V1}/authority`,
      async handle() {
        return { body: authority() };
      },
    },
    {
      method: 'POST',
      path: `${V1}/authority/rotate`,
      ...taking(ROTATION, async ({ overlapSeconds }: ValueOf<typeof ROTATION>) => {
        if (overlapSeconds > longest) {
          const message = `must be at most ${longest}, but is ${overlapSeconds}`;
          throw terminal('Invalid', `overlapSeconds ${message}`, [{ field: 'overlapSeconds', message }]);
        }
        await pki.replaceAuthority(now() + overlapSeconds * 1000);
        return { body: authority() };
      }),
    },
  ];
}
