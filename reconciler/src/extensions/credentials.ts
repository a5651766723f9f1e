/** `/apis/plumb.dev/v1/admintoken` and `authority`: the administrator's token and the authority, replaced while the server runs. */
import type { Extension } from '../api/extension.ts';
import { badRequest } from '../api/failure.ts';
import type { Pki } from '../pki/open.ts';

const V1 = '/apis/plumb.dev/v1';
/** Longest time that the authority of now and the one that follows are trusted side by side, in seconds. */
const LONGEST_OVERLAP = 366 * 86_400;

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
      async handle({ json }) {
        await pki.replaceAuthority(now() + overlapIn(await json()) * 1000);
        return { body: authority() };
      },
    },
  ];
}

function overlapIn(body: unknown): number {
  const seconds = (body as { overlapSeconds?: unknown } | undefined)?.overlapSeconds;
  if (Number.isInteger(seconds) && (seconds as number) >= 0 && (seconds as number) <= LONGEST_OVERLAP)
    return seconds as number;
  throw badRequest(`overlapSeconds must be a whole number from 0 to ${LONGEST_OVERLAP}`);
}
