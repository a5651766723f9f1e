import type { LabelSelector } from '../kinds/builtin/label-selector.ts';
import type { Labels } from './labels.ts';

/** Whether a metav1.LabelSelector, which is valid, selects an object with these labels. An empty one selects everything. */
export function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels = {}): boolean {
  const label = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  for (const [key, value] of Object.entries(matchLabels)) if (label(key) !== value) return false;
  return matchExpressions.every(({ key = '', operator, values = [] }) => {
    const value = label(key);
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
}
