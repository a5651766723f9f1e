/** How large an object may be as it is stored. */
import { configMap, secret } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';

/** Kinds whose data may be 1 MiB: in base64 it is a third more. */
const HOLDS_DATA: ReadonlySet<string> = new Set([secret.kind, configMap.kind]);

/** Bytes. */
export function mostBytes(
  { kind }: { kind: string },
  { objectBytes, dataObjectBytes }: Pick<ServerLimits, 'objectBytes' | 'dataObjectBytes'>,
): number {
  return HOLDS_DATA.has(kind) ? dataObjectBytes : objectBytes;
}
