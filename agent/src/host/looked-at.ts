import type { LiveResource } from '@plumb/schemas';
import { PlumbError, resourceKey } from '@plumb/schemas';
import { scrub } from '@plumb/schemas/project/scrub.ts';
import { secretsOf } from '@plumb/schemas/wire/resource-codec.ts';

/**
 * What a look at one resource found. One that cannot be looked at, since its file or a program fails, is told as drifted, and hides
 * none of the others.
 */
export async function lookedAt<L extends LiveResource>(resource: Pick<L, 'kind' | 'id'>, look: Promise<L>): Promise<L> {
  try {
    return await look;
  } catch (thrown) {
    const why = scrub(PlumbError.from(thrown, resourceKey(resource)).message, secretsOf(resource));
    return { ...resource, drift: [`it cannot be looked at: ${why}`] } as unknown as L;
  }
}
