import { terminal } from '@plumb/schemas';
import { SCHEMA_VERSION } from '../wire/convert.ts';

/** Throws a terminal `StateOfNewerVersion`: what a newer provider meant, this one cannot know. */
export function refuseNewer(version: number): void {
  if (version <= SCHEMA_VERSION) return;
  throw terminal(
    'StateOfNewerVersion',
    `A newer version of this provider has written it (form ${version}, and this version knows none above ${SCHEMA_VERSION}): run terraform init -upgrade, or take the version that wrote it.`,
  );
}
