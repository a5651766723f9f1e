/** A plan as users of Terraform expect it: + ~ -/+ -, and a line that sums it up. Pure. */
import { shown } from '@plumb/schemas/project/shown.ts';
import { describeManifest } from './manifests.ts';
import type { PlanAnswer, PlannedObject } from './plan-review.ts';
import { resourceByKind } from './resources.ts';
import { printable } from './table.ts';

type Action = PlannedObject['action'];
type Change = PlannedObject['changes'][number];

const SIGNS: Record<Action, string> = { Create: '+', Update: '~', Replace: '-/+', Delete: '-', None: ' ' };
const WORDS: Record<Action, string> = {
  Create: 'will be created',
  Update: 'will be changed',
  Replace: 'will be replaced',
  Delete: 'will be deleted',
  None: 'stays as it is declared',
};
const COSTS: Record<string, string> = {
  live: 'while it runs',
  restart: 'restarts it',
  replace: 'replaces it',
  dataLoss: 'loses data',
};

/** The whole text. */
export function planText({ objects, affected }: PlanAnswer): string {
  const blocks = [
    ...objects.map((item) => block(item, WORDS[item.action])),
    ...affected.map((item) => block(item, 'is affected')),
  ];
  const said = blocks.filter((text) => text !== '').map((text) => `${text}\n`);
  return `${said.join('')}${summary(objects, affected)}`;
}

/** `instance/web-0`; the kind as the server calls it where it is not known here. */
export function nameOfPlanned({ kind, namespace, name }: Pick<PlannedObject, 'kind' | 'namespace' | 'name'>): string {
  const resource = resourceByKind('plumb.dev/v1', kind) ?? resourceByKind('v1', kind);
  if (resource) return describeManifest({ resource, namespace, name });
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** Whether anything would be done. */
export function changesAnything({ objects, affected }: PlanAnswer): boolean {
  return [...objects, ...affected].some(({ action, steps }) => action !== 'None' || steps.length > 0);
}

function block(item: PlannedObject, word: string): string {
  const { action, changes, steps, problem, note } = item;
  if (action === 'None' && steps.length === 0 && !problem && note === undefined) return '';
  const sign = SIGNS[action].padStart(3);
  return [
    `${sign} ${nameOfPlanned(item)} ${word}${placeOf(item)}\n`,
    ...changes.flatMap((change) => changeLines(change, action)),
    ...steps.map((step) => stepLine(step)),
    problem
      ? `      ! ${problem.terminal ? 'cannot be done' : 'waits'}: ${problem.reason}: ${printable(problem.message)}\n`
      : '',
    note === undefined ? '' : `      note: ${printable(note)}\n`,
  ].join('');
}

/** `, on sim-0 with 10.20.0.11 (eth0, default/lab)`. */
function placeOf({ host, addresses = [] }: PlannedObject): string {
  if (host === undefined) return '';
  const has = addresses.map((of) => `${of.addresses.join(', ')} (${of.interface}, ${of.network})`);
  return `, on ${host}${has.length > 0 ? ` with ${has.join(', ')}` : ''}`;
}

function stepLine({ what, host, disruption, why }: PlannedObject['steps'][number]): string {
  const cost = COSTS[disruption];
  return `      ${what} on ${host}: ${printable(why)}${cost === undefined ? '' : `   (${cost})`}\n`;
}

/** A field that comes or goes as a whole is shown by its leaves. */
function changeLines({ field, from, to, secret }: Change, action: Action): string[] {
  const line = (sign: string, path: string, value: string) => `      ${sign} ${path}: ${value}\n`;
  if (secret) return [line(action === 'Create' ? '+' : '~', field, '(not shown)')];
  if (from === undefined) return leaves(field, to).map(([path, value]) => line('+', path, value));
  if (to === undefined) return leaves(field, from).map(([path, value]) => line('-', path, value));
  return [line('~', field, `${shown(from)} -> ${shown(to)}`)];
}

function leaves(field: string, value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    return [[field, shown(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(`${field}.${key}`, inner));
}

/** `Plan: 1 to add, 1 to change, 0 to destroy.` What is replaced is both added and destroyed, as with Terraform. */
function summary(objects: readonly PlannedObject[], affected: readonly PlannedObject[]): string {
  const count = (...actions: Action[]) => objects.filter(({ action }) => actions.includes(action)).length;
  const all = [...objects, ...affected];
  const disturbed = (disruption: string) =>
    all.filter(({ steps }) => steps.some((step) => step.disruption === disruption)).length;
  const more = [
    [disturbed('restart'), 'restarted'],
    [disturbed('dataLoss'), 'with loss of data'],
    [all.filter(({ problem }) => problem && !problem.terminal).length, 'waiting'],
    [all.filter(({ problem }) => problem?.terminal).length, 'that cannot be done'],
  ].filter(([number]) => number !== 0);
  const costs = more.length === 0 ? '' : ` ${more.map(([number, words]) => `${number} ${words}`).join(', ')}.`;
  if (!changesAnything({ objects, affected } as PlanAnswer))
    return `No changes: ${objects.length} as declared.${costs}\n`;
  return `Plan: ${count('Create', 'Replace')} to add, ${count('Update')} to change, ${count('Delete', 'Replace')} to destroy, ${count('None')} unchanged.${costs}\n`;
}
