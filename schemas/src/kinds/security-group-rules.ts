import type { FieldError } from '../meta/error.ts';
import { type LabelSelector, selectorErrors } from './builtin/label-selector.ts';

interface Rule {
  protocol?: 'TCP' | 'UDP' | 'ICMP';
  port?: number;
  endPort?: number;
  icmpType?: number;
  icmpCode?: number;
  securityGroups?: readonly string[];
}

interface RuledFields {
  selector: LabelSelector;
  ingress?: readonly Rule[];
  egress?: readonly Rule[];
}

/** What can never be right of a security group: ports without a protocol that has them, a range that ends before it begins, groups of others. */
export function securityGroupRules({ selector, ingress = [], egress = [] }: RuledFields): FieldError[] {
  return [
    ...selectorErrors(selector, 'spec.selector'),
    ...ingress.flatMap((rule, i) => ruleErrors(rule, `spec.ingress[${i}]`)),
    ...egress.flatMap((rule, i) => ruleErrors(rule, `spec.egress[${i}]`)),
  ];
}

function ruleErrors({ protocol, port, endPort, icmpType, icmpCode, securityGroups = [] }: Rule, at: string) {
  const errors: FieldError[] = [];
  const hasPorts = protocol === 'TCP' || protocol === 'UDP';
  const error = (field: string, message: string) => errors.push({ field: `${at}.${field}`, message });
  if (port !== undefined && !hasPorts) error('port', 'is of TCP and UDP only: set protocol to one of them');
  if (endPort !== undefined && port === undefined) error('endPort', 'ends a range that begins with port: set port');
  if (endPort !== undefined && port !== undefined && endPort < port)
    error('endPort', `${endPort} is before port ${port}, with which the range begins`);
  if (icmpType !== undefined && protocol !== 'ICMP') error('icmpType', 'is of ICMP only: set protocol to ICMP');
  if (icmpCode !== undefined && icmpType === undefined) error('icmpCode', 'is a code of an icmpType: set that, too');
  for (const [i, group] of securityGroups.entries())
    if (group.includes('/'))
      error(`securityGroups[${i}]`, `${group} names a project: a rule can name groups of its own project only`);
  return errors;
}
