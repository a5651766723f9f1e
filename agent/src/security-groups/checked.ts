/**
 * What declarations of security groups must look like before anything of them reaches nft: one that nft refuses would keep all others
 * from being loaded. All throw `InvalidResource` (terminal).
 */
import type { HostResource } from '@plumb/schemas';
import { terminal } from '@plumb/schemas';
import { requireSafeId } from '../host/records.ts';
import { parseCidr, requireIpv4 } from '../network/ipv4.ts';

export function checkPortFilter({ id, spec }: HostResource<'port-filter'>): void {
  requireSafeId(id);
  requireSafeId(spec.port);
  if (spec.rulesets.length === 0) throw invalid(`the filter ${id} has no rules`);
  for (const ruleset of spec.rulesets) requireSafeId(ruleset);
}

export function checkRuleset({ id, spec }: HostResource<'ruleset'>): void {
  requireSafeId(id);
  for (const { protocol, port, endPort, icmpType, icmpCode, cidrs = [], groups = [] } of [
    ...spec.ingress,
    ...(spec.egress ?? []),
  ]) {
    if (!['TCP', 'UDP', 'ICMP', undefined].includes(protocol)) throw invalid(`${protocol} is no protocol of a rule`);
    for (const one of [port, endPort]) if (one !== undefined) requireNumber(one, 1, 65_535, 'port');
    if (port !== undefined && endPort !== undefined && endPort < port)
      throw invalid(`port ${endPort} is before ${port}`);
    for (const one of [icmpType, icmpCode]) if (one !== undefined) requireNumber(one, 0, 255, 'type or code of ICMP');
    for (const cidr of cidrs) parseCidr(cidr);
    for (const group of groups) requireSafeId(group);
  }
}

export function checkAddressGroup({ id, spec }: HostResource<'address-group'>): void {
  requireSafeId(id);
  for (const address of spec.addresses) requireIpv4(address);
}

function requireNumber(value: number, least: number, most: number, what: string): void {
  if (!Number.isInteger(value) || value < least || value > most) throw invalid(`${value} is no ${what}`);
}

function invalid(message: string) {
  return terminal('InvalidResource', message);
}
