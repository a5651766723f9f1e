/** metav1.LabelSelector, and its rules. */
import type { FieldError } from '../../meta/error.ts';
import type { ValueOf } from '../define.ts';
import { forbidden, invalid, required } from './mistakes.ts';

export const labelSelector = {
  type: 'object',
  additionalProperties: false,
  'x-kubernetes-map-type': 'atomic',
  properties: {
    matchLabels: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Labels with exactly these values.',
    },
    matchExpressions: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      description: 'Expressions that must hold as well.',
      items: {
        type: 'object',
        additionalProperties: false,
        properties: {
          key: { type: 'string', description: 'Key of the label.' },
          operator: { type: 'string', description: 'In, NotIn, Exists or DoesNotExist.' },
          values: {
            type: 'array',
            items: { type: 'string' },
            'x-kubernetes-list-type': 'atomic',
            description: 'Values for In and NotIn.',
          },
        },
      },
    },
  },
} as const;

export type LabelSelector = ValueOf<typeof labelSelector>;

const KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

export function selectorErrors({ matchLabels = {}, matchExpressions = [] }: LabelSelector, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const key = (field: string, text: string) => {
    if (!KEY.test(text)) errors.push(invalid(field, text.slice(0, 300), 'is no key of a label'));
  };
  for (const [name, value] of Object.entries(matchLabels)) {
    key(`${at}.matchLabels`, name);
    if (!VALUE.test(value)) errors.push(invalid(`${at}.matchLabels`, value.slice(0, 300), 'is no value of a label'));
  }
  for (const [index, { key: name = '', operator = '', values = [] }] of matchExpressions.entries()) {
    const here = `${at}.matchExpressions[${index}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        errors.push(required(`${here}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        errors.push(forbidden(`${here}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else errors.push(invalid(`${here}.operator`, operator, 'not a valid selector operator'));
    key(`${here}.key`, name);
    for (const [at, value] of values.entries())
      if (!VALUE.test(value))
        errors.push(invalid(`${here}.values[${at}]`, value.slice(0, 300), 'is no value of a label'));
  }
  return errors;
}
