/** What Terraform is given when it is interrupted while the server carries out what it took: nothing failed, and the state says so. */

import { type Reference, title } from '@plumb/client/objects.ts';
import type { PlumbError, PlumbObject } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { stateOf } from '../value/object.ts';
import { settle } from '../value/plan.ts';
import { isObject, type ObjectValue } from '../value/value.ts';

/** A warning: an error would taint what is new, and Terraform replaces what is tainted. */
export function goesOn(ref: Reference, error: PlumbError): Diagnostic {
  return {
    severity: 'warning',
    summary: `${title(ref)} was not waited for`,
    detail: `${error.message} The server has it and goes on. The state is kept; the next plan shows whether it is ready, and the next apply waits until it is.`,
  };
}

/** The state for what was declared, and not seen to be ready. */
export function unready(kind: TerraformKind, planned: ObjectValue, object: PlumbObject, manager: string): ObjectValue {
  return settle(planned, withReady(kind, stateOf(kind, object, planned, manager), false)) as ObjectValue;
}

/** The state with another word on whether its object is as declared. */
export function withReady(kind: TerraformKind, state: ObjectValue, ready: boolean): ObjectValue {
  const { status } = state;
  if (!isObject(status) || !kind.status.some(({ name }) => name === 'ready')) return state;
  return { ...state, status: { ...status, ready } };
}
