/** The matrix for people: one line for rows that say the same. */
import type { Case } from './cases/case.ts';
import { targets } from './cases/case.ts';

const INTRODUCTION = `# What of a guest's frames is heard, and by whom

Guests of one network are switched to each other, to the gateway of their network and to its uplink, and to nothing
else. This is what comes of each kind of frame. \`npm test\` sends every one of them through the agent's own bridges, taps
and filter, by a QEMU that holds the taps as those of guests are held, with and without \`br_netfilter\`, and compares
with this table (agent/src/network/isolation; run it with UPDATE to write the table anew).

- **guest**, **neighbour**: two guests of one network. **gateway**: its gateway, DHCP and DNS server. **host**: the
  network of the hypervisor itself. **outside**: whatever is beyond the uplink.
- **yes**: it is heard by whom it is sent to. **–**: it is not. Nothing is ever heard by a guest that it is not for, nor
  by any guest of another network, and no frame from a guest makes its bridge learn an address.
- A guest sends from its declared addresses, by ARP and IPv4 alone: networks are IPv4 networks.
`;

/** The page of the documentation. */
export function matrixPage(rows: readonly Case[]): string {
  const lines = [INTRODUCTION];
  for (const [from, ofSender] of Map.groupBy(rows, (row) => row.from)) {
    lines.push(`## From: ${from}\n`);
    const columns = targets.filter((target) => target !== from);
    lines.push(`| | ${columns.join(' | ')} |`, `|---|${columns.map(() => '---|').join('')}`);
    for (const [group, ofGroup] of Map.groupBy(ofSender, (row) => row.group)) {
      lines.push(`| **${group}** |${columns.map(() => ' |').join('')}`);
      for (const [title, same] of Map.groupBy(ofGroup, (row) => row.title ?? row.what)) {
        const [first] = same;
        if (same.some(({ heard }) => heard.join() !== first?.heard.join()))
          throw new Error(`rows of the title ${title} are not heard alike`);
        lines.push(`| ${title} | ${columns.map((to) => (first?.heard.includes(to) ? 'yes' : '–')).join(' | ')} |`);
      }
    }
    lines.push('');
  }
  return lines.join('\n');
}
