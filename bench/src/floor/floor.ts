import { mkdirSync } from 'node:fs';
import { makeCertificates } from './certificates.ts';
import { startPosts } from './posts.ts';
import { Records } from './records.ts';
import { startRoundTrips } from './round-trips.ts';

/** Milliseconds of the three things that no control plane of this kind can do without, one after the other. */
export interface FloorTimes {
  posts: number;
  records: number;
  roundTrips: number;
  /** Their sum. */
  total: number;
}

/** The floor under a burst of creates, measured with the same libraries, on the same machine, in the same run. */
export interface Floor {
  measure(n: number): Promise<FloorTimes>;
  close(): Promise<void>;
}

export async function startFloor(
  folder: string,
  connections: number,
  body: (i: number) => string,
  now: number,
): Promise<Floor> {
  mkdirSync(folder, { recursive: true });
  const certificates = await makeCertificates(now);
  const posts = await startPosts(folder, certificates, connections, body);
  const roundTrips = await startRoundTrips(folder, certificates);
  const records = new Records(folder);
  return {
    async measure(n) {
      const times = {
        posts: await posts.measure(n),
        // Three transactions: an object is acknowledged before it is planned, and planned before anything is done about it.
        records: records.measure(3 * n, 3),
        roundTrips: await roundTrips.measure(n),
      };
      return { ...times, total: times.posts + times.records + times.roundTrips };
    },
    async close() {
      records.close();
      await roundTrips.close();
      await posts.close();
    },
  };
}
