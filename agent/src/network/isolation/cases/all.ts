import { arpCases } from './arp.ts';
import type { Case } from './case.ts';
import { dhcpCases } from './dhcp.ts';
import { ipCases } from './ip.ts';
import { ipv6Cases } from './ipv6.ts';
import { linkCases } from './link.ts';

/** Every row of the matrix. */
export const allCases: readonly Case[] = [...arpCases, ...ipCases, ...dhcpCases, ...ipv6Cases, ...linkCases];
