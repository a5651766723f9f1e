import { isIPv4 } from 'node:net';
import { terminal } from '@plumb/schemas';

export interface Ipv4Network {
  address: string;
  prefixLength: number;
  netmask: string;
}

/** Reads `10.20.0.0/24`; host bits are cut off. Throws `InvalidResource` (terminal). */
export function parseCidr(cidr: string): Ipv4Network {
  const [address = '', length = ''] = cidr.split('/');
  const prefixLength = Number(length);
  if (!isIPv4(address) || !/^\d{1,2}$/.test(length) || prefixLength > 32)
    throw terminal('InvalidResource', `${JSON.stringify(cidr)} is not an IPv4 network`);
  const mask = prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
  return { address: text((number(address) & mask) >>> 0), prefixLength, netmask: text(mask) };
}

/** Throws `InvalidResource` (terminal) unless it is an IPv4 address. */
export function requireIpv4(address: string): string {
  if (!isIPv4(address)) throw terminal('InvalidResource', `${JSON.stringify(address)} is not an IPv4 address`);
  return address;
}

/** Throws `InvalidResource` (terminal) unless it is an Ethernet address in lower case. */
export function requireMac(address: string): string {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address))
    throw terminal('InvalidResource', `${JSON.stringify(address)} is not an Ethernet address`);
  return address;
}

/** Throws `InvalidResource` (terminal) unless it is a host or domain name (RFC 1123). */
export function requireDnsName(name: string): string {
  if (name.length > 253 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i.test(name))
    throw terminal('InvalidResource', `${JSON.stringify(name)} is not a host or domain name`);
  return name;
}

function number(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function text(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
}
