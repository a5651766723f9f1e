import type { Context } from './controller.ts';

/** A host that has the file of the image as it was made. */
export function whereWhole({ fleet }: Pick<Context, 'fleet'>, uid: string, sha256: string): string | undefined {
  for (const { host, resource } of fleet.ownedBy(uid))
    if (resource.id === sha256 && resource.drift.length === 0) return host;
  return undefined;
}
