import type { HttpsClient } from './client.ts';

/** What `plumb drift` is told. */
export interface DriftScan {
  counts: { same: number; differs: number; unknown: number; underWay: number };
  /** Instances that were compared by content. */
  compared: number;
  /** Milliseconds of work. */
  workMs: number;
}

/** Lets the server compare every instance with what lives. */
export async function scanDrift(client: HttpsClient, way: 'content' | 'digests'): Promise<DriftScan> {
  const text = await client.expect(200, 'POST', '/apis/plumb.dev/v1/driftscans', JSON.stringify({ way }));
  return JSON.parse(text) as DriftScan;
}
