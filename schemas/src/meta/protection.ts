/** `spec.deletionProtection`: no deletion marks such an object, whichever way it comes. */
import { type PlumbError, terminal } from './error.ts';
import { objectName, type PlumbObject } from './object.ts';

type Protectable = Pick<PlumbObject, 'kind' | 'metadata'> & { spec?: unknown };

/** Also of an object that cannot be understood as a whole. What is on its way out is not protected any more. */
export function isProtected({ metadata, spec }: Protectable): boolean {
  const { deletionProtection } = (spec ?? {}) as { deletionProtection?: unknown };
  return deletionProtection === true && metadata.deletionTimestamp === undefined;
}

/** Objects that are named in a sentence. */
const NAMED = 5;

/** Why objects that are protected are not deleted: terminal `Forbidden`, as Kubernetes has it of its own namespaces. */
export function protectedError(objects: readonly Protectable[]): PlumbError {
  const names = objects.slice(0, NAMED).map(({ kind, metadata }) => `${kind} ${objectName(metadata)}`);
  const more = objects.length > NAMED ? ` and ${objects.length - NAMED} more` : '';
  const [are, them] = objects.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return terminal(
    'Forbidden',
    `${names.join(', ')}${more} ${are} not deleted: spec.deletionProtection is true; set it to false, then delete ${them}`,
  );
}
