/** What a person is told of a review, each on the attribute that it is about. Pure. */
import type { Disruption, FieldError } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { type Diagnostic, failure, fieldDiagnostic } from '../diagnostic.ts';
import { attributePath, type Step } from '../value/path.ts';
import { inHcl } from '../value/words.ts';
import type { Reviewed } from './question.ts';
import type { Answered } from './reviews.ts';

/** What something that is planned later, or done beside it, may cure although the server says that waiting does not. */
const CURABLE = new Set([
  ...['DuplicateAddress', 'DuplicateMac', 'ReferenceNotReady', 'NoHostFits', 'NoCapacity'],
  ...['NamespaceNotFound', 'DeletionBlocked'],
]);

const ORDER: readonly Disruption[] = ['none', 'live', 'restart', 'replace', 'dataLoss'];
const COSTS: Record<Disruption, string> = {
  none: '',
  live: 'Changes while the guest runs',
  restart: 'Restarts the guest',
  replace: 'Replaces what the guest has',
  dataLoss: 'Loses the data on the disk',
};

/** `changed`: top-level attributes that differ. */
export function reviewDiagnostics(
  kind: TerraformKind,
  { own, affected, isWhole }: Answered,
  changed: readonly string[],
): Diagnostic[] {
  const named = titleOf(own);
  return [
    ...problem(kind, own, named),
    ...costs(kind, own, changed, named),
    ...later(kind, own, changed, named),
    ...affected.map((one) => affects(kind, one, changed)),
    ...(isWhole ? prediction(own, named) : []),
  ];
}

/** Rules that only the server knows. */
export function refusedDiagnostics(kind: TerraformKind, fields: readonly FieldError[]): Diagnostic[] {
  return fields.map(({ field, message }) => fieldDiagnostic({ field, message: inHcl(message, kind) }, kind));
}

/** Of an object that gives way to another one of the same name. */
export function replacementDiagnostics({ own }: Answered, path: Step[]): Diagnostic[] {
  const { problem } = own;
  if (problem?.reason === 'DeletionProtected') return protects(own);
  if (problem?.reason !== 'DeletionBlocked') return [];
  return [
    warning(
      `${titleOf(own)} is replaced, and others need it`,
      `${sentence(problem.message)} The apply refuses to delete it while they are there. Have them replaced, too (lifecycle { replace_triggered_by = [...] } with this resource's status.uid), or give the new one another name and set create_before_destroy.`,
      path,
    ),
  ];
}

export function deletionDiagnostics({ own }: Answered): Diagnostic[] {
  return own.problem?.reason === 'DeletionProtected' ? protects(own) : [];
}

function protects(own: Reviewed): Diagnostic[] {
  const detail = `${sentence(own.problem!.message)} Set deletion_protection = false and apply that first.`;
  return [failure(`${titleOf(own)} is protected from deletion`, detail, [{ attribute: 'deletion_protection' }])];
}

function problem(kind: TerraformKind, { problem }: Reviewed, named: string): Diagnostic[] {
  // Who owns what is told apart.
  if (!problem || problem.reason === 'Conflict') return [];
  const { reason, message, terminal, field } = problem;
  const steps = field === undefined ? [] : attributePath(field, kind).steps;
  const words = inHcl(withoutField(message, field), kind);
  if (terminal && !CURABLE.has(reason))
    return [failure(`${named} cannot be as planned: ${reason}`, sentence(words), steps)];
  const detail = `${sentence(words)} Unless that changes before, the apply ${terminal ? 'fails' : 'waits for it'}.`;
  return [warning(`${named} cannot be as planned yet: ${reason}`, detail, steps)];
}

function costs(kind: TerraformKind, own: Reviewed, changed: readonly string[], named: string): Diagnostic[] {
  if (own.action !== 'Update' && own.action !== 'Replace') return [];
  const worst = own.steps.reduce<Disruption>((most, { disruption }) => worse(most, disruption), 'none');
  if (worst === 'none') return [];
  const declared = changed.map((name) => ({ name, cost: costOf(kind, name) }));
  const top = declared.reduce<Disruption>((most, { cost }) => worse(most, cost), 'none');
  const told = declared.filter(({ cost }) => cost !== 'none' && ORDER.indexOf(cost) <= ORDER.indexOf(worst));
  const done = own.steps.filter(({ disruption }) => disruption !== 'none').map(({ what }) => what);
  // What is done is told of the attribute that may cost most, whatever its kind says of it.
  const causes =
    top === 'none'
      ? [{ name: undefined, cost: worst }]
      : declared.filter(({ cost }) => cost === top).map(({ name }) => ({ name, cost: worst }));
  const others = told.filter(({ cost }) => cost !== top);
  return [...causes, ...others].map(({ name, cost }) =>
    warning(
      COSTS[cost],
      `${named}: ${name === undefined ? 'this change' : `another ${name}`} ${WORDS[cost]} What is done: ${[...new Set(done)].join(', ')}.`,
      name === undefined ? [] : [{ attribute: name }],
    ),
  );
}

const WORDS: Record<Disruption, string> = {
  none: '',
  live: 'is carried out while the guest runs.',
  restart: 'restarts the guest (restart).',
  replace: 'takes away what the guest has and gives it another one (replace).',
  dataLoss: 'replaces the disk, and all that the guest has written is lost (dataLoss).',
};

/** What a running guest gets only at its next start. */
function later(kind: TerraformKind, own: Reviewed, changed: readonly string[], named: string): Diagnostic[] {
  if (!own.restart || own.action === 'Create') return [];
  const name = changed.find((one) => one === 'offering' || one.startsWith('user_data') || one === 'ssh_keys');
  const words = inHcl(own.note ?? '', kind);
  return [warning('Takes effect at the next start', `${named}: ${sentence(words)}`, name ? [{ attribute: name }] : [])];
}

function affects(kind: TerraformKind, one: Reviewed, changed: readonly string[]): Diagnostic {
  const worst = one.steps.reduce<Disruption>((most, { disruption }) => worse(most, disruption), 'none');
  const what = one.restart
    ? sentence(inHcl(one.note ?? 'it has to be started again', kind))
    : one.problem
      ? sentence(inHcl(one.problem.message, kind))
      : sentence(`${WORDS[worst] || 'is changed, too'} What is done: ${one.steps.map((step) => step.what).join(', ')}`);
  const summary = one.restart ? 'Others need a restart (RestartRequired)' : 'Others change, too';
  return warning(summary, `${titleOf(one)}: ${what}`, changed[0] ? [{ attribute: changed[0] }] : []);
}

function prediction(own: Reviewed, named: string): Diagnostic[] {
  if (own.action !== 'Create' || own.host === undefined || own.problem) return [];
  const on = (own.addresses ?? []).map(({ interface: of, addresses }) => `${of} ${addresses.join(', ')}`);
  const what = `${named} would run on ${own.host}${on.length > 0 ? ` with ${on.join('; ')}` : ''}.`;
  return [warning('Where it would be', `${what} Nothing is reserved: what is not declared is decided by the apply.`)];
}

/** What the kind says a change of the attribute costs. */
function costOf({ kind, spec }: TerraformKind, name: string): Disruption {
  const field = spec.find((attribute) => attribute.name === name)?.field ?? '';
  return kind.disruption[field] ?? 'none';
}

function worse(a: Disruption, b: Disruption): Disruption {
  return ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b;
}

/** The sentence without the path that the diagnostic points to. */
export function withoutField(message: string, field: string | undefined): string {
  return field !== undefined && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
}

function titleOf({ kind, namespace, name }: Pick<Reviewed, 'kind' | 'name'> & { namespace?: string | undefined }) {
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}`;
}

function warning(summary: string, detail: string, path: Step[] = []): Diagnostic {
  return { severity: 'warning', summary, detail, ...(path.length > 0 ? { path } : {}) };
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(whole) ? whole : `${whole}.`;
}
