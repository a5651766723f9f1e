/** Hosts as far as an image needs one. */
import { isBlocked } from '../../fleet/troubles.ts';
import type { Context } from '../controller.ts';
import { unfitError } from '../restriction.ts';

/** Connected hosts by name whose Host object is declared; those that may get something new first. */
export function usableHosts(context: Context): string[] {
  const names = [...context.read.list('hosts')]
    .filter(({ object }) => !object.metadata.deletionTimestamp && context.liveness.connected(object.metadata.name))
    .map(({ object }) => object.metadata.name);
  names.sort();
  const isFit = (name: string) => unfitError(context, name) === undefined && !isBlocked(context.fleet.host(name)!);
  return [...names.filter(isFit), ...names.filter((name) => !isFit(name))];
}
