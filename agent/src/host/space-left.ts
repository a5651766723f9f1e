import { statfs } from 'node:fs/promises';

/** Of a small file system, this share is to stay free. */
const LEAST_SHARE = 0.05;

export interface SpaceLeft {
  freeMiB: number;
  /** Whether it counts as full. */
  isFull: boolean;
}

/** How much is left where the folder is, besides what is root's alone. */
export async function spaceLeft(folder: string, leastFreeMiB: number): Promise<SpaceLeft> {
  const { bavail, bsize, blocks } = await statfs(folder);
  const [freeMiB, allMiB] = [bavail, blocks].map((count) => (count * bsize) / 1024 ** 2) as [number, number];
  return { freeMiB: Math.floor(freeMiB), isFull: freeMiB < Math.min(leastFreeMiB, allMiB * LEAST_SHARE) };
}
