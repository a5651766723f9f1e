/** Records that are read when they are needed: which of them cannot be. Found anew whenever somebody asks. */
import { readCredential } from '../fleet/credentials.ts';
import { readJoinToken } from '../fleet/join-tokens.ts';
import type { Poisoned } from '../runtime/poisoned.ts';
import { keys } from '../store/keys.ts';
import { pages } from '../store/pages.ts';
import type { Store } from '../store/store.ts';
import { kindModules } from './index.ts';

/** Of no kind's records, by the beginning of their keys: says why one cannot be read. */
const readers: Record<string, (value: string) => string | undefined> = {
  [keys.credential('')]: (value) =>
    readCredential(value) ? undefined : 'is no credential: its host is admitted again by plumb host readmit',
  [keys.joinTokens]: (value) => (readJoinToken(value) ? undefined : 'is no join token: it admits nobody'),
};

/** By the beginning of their keys. */
function allReaders(): [string, (value: string) => string | undefined][] {
  const ofKinds = kindModules.flatMap(({ records = [] }) => records);
  return [
    ...Object.entries(readers),
    ...ofKinds.flatMap(({ prefix, whyNot }) => (whyNot ? [[prefix, whyNot] as [string, typeof whyNot]] : [])),
  ];
}

/** Notes in `poisoned` what cannot be read, and forgets what can by now or is gone. */
export async function lookAtRecords(store: Store, poisoned: Poisoned): Promise<void> {
  for (const [prefix, whyNot] of allReaders()) {
    const noted = new Set(poisoned.recordsUnder(prefix));
    for await (const { entries } of pages(store, prefix))
      for (const { key, value } of entries) {
        const why = whyNot(value);
        if (why === undefined) continue;
        poisoned.noteRecord(key, why);
        noted.delete(key);
      }
    for (const key of noted) poisoned.clearRecord(key);
  }
}
