/** `/apis/plumb.dev/v1/admintoken` and `authority`: the administrator's token and the authority, replaced while the server runs. */
import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { type Extension, taking } from '../api/extension.ts';
import type { Pki } from '../pki/open.ts';

const V1 = '/apis/plumb.dev/v1';
/** Longest time that the authority of now and the one that follows are trusted side by side, in seconds. */
const LONGEST_OVERLAP = 366 * 86_400;

const ROTATION = {
  type: 'object',
  additionalProperties: false,
  required: ['overlapSeconds'],
  properties: {
    overlapSeconds: {
      type: 'integer',
      minimum: 0,
      maximum: LONGEST_OVERLAP,
      description: 'How long the authority of now is still trusted.',
    },
  },
} as const;

export function credentialExtensions(pki: Pki, now: () => number): Extension[] {
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
        await pki.replaceAuthority(now() + overlapSeconds * 1000);
        return { body: authority() };
      }),
    },
  ];
}
