/**
 * Which names an authority may vouch for (RFC 5280, 4.2.1.10), read from its certificate without a library: the extension
 * is small, and the library costs a fifth of a second of start. An authority of Plumb vouches for its own server alone:
 * whoever trusts it for more than that, or steals its key, gains no certificate for other sites by it.
 */
import { X509Certificate } from 'node:crypto';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** What is permitted. */
export interface Permitted {
  /** Each with everything below it. */
  dns: string[];
  ip: { address: string; prefix: number }[];
}

/** Networks that are nobody's on the Internet: machines and their addresses come and go there. */
const PRIVATE: Permitted['ip'] = [
  { address: '127.0.0.0', prefix: 8 },
  { address: '10.0.0.0', prefix: 8 },
  { address: '172.16.0.0', prefix: 12 },
  { address: '192.168.0.0', prefix: 16 },
  { address: '100.64.0.0', prefix: 10 },
  { address: '169.254.0.0', prefix: 16 },
  { address: '198.18.0.0', prefix: 15 },
  { address: '::1', prefix: 128 },
  { address: 'fc00::', prefix: 7 },
];

/** What an authority is made for whose server is called by `names`: these, and every private address. */
export function permittedFor(names: readonly string[]): Permitted {
  const dns = names.filter((name) => isIP(name) === 0);
  const own = names.filter((name) => isIP(name) !== 0 && !permits({ dns: [], ip: PRIVATE }, name));
  return { dns, ip: [...PRIVATE, ...own.map((address) => ({ address, prefix: isIPv6(address) ? 128 : 32 }))] };
}

/** Whether the authority may vouch for a DNS name or an IP address. */
export function permits(permitted: Permitted, name: string): boolean {
  if (isIP(name) === 0) return permitted.dns.some((base) => name === base || name.endsWith(`.${base}`));
  const family = isIPv6(name) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  for (const { address, prefix } of permitted.ip) {
    if (isIPv6(address) === isIPv6(name)) list.addSubnet(address, prefix, family);
  }
  return list.check(name, family);
}

/** Object identifier 2.5.29.30 in DER. */
const NAME_CONSTRAINTS = Buffer.from('0603551d1e', 'hex');
const [OCTET_STRING, SEQUENCE, PERMITTED, DNS_NAME, IP_ADDRESS] = [0x04, 0x30, 0xa0, 0x82, 0x87];

/** What the certificate of an authority permits; undefined when it says nothing, and so permits everything. */
export function permittedBy(certificate: string): Permitted | undefined {
  const der = new X509Certificate(certificate).raw;
  const at = der.indexOf(NAME_CONSTRAINTS);
  if (at < 0) return undefined;
  // What follows the identifier: critical or not, and the value.
  const value = elements(der.subarray(at + NAME_CONSTRAINTS.length)).find(({ tag }) => tag === OCTET_STRING);
  const permitted: Permitted = { dns: [], ip: [] };
  const whole = value && elements(value.content).find(({ tag }) => tag === SEQUENCE);
  const trees = whole && elements(whole.content).find(({ tag }) => tag === PERMITTED);
  for (const tree of trees ? elements(trees.content) : []) {
    for (const { tag, content } of elements(tree.content)) {
      if (tag === DNS_NAME) permitted.dns.push(content.toString('latin1'));
      if (tag === IP_ADDRESS) permitted.ip.push(subnetOf(content));
    }
  }
  return permitted;
}

/** Address and mask, one after the other. */
function subnetOf(content: Buffer): { address: string; prefix: number } {
  const half = content.length / 2;
  const [address, mask] = [content.subarray(0, half), content.subarray(half)];
  const prefix = [...mask].reduce((bits, byte) => bits + byte.toString(2).replaceAll('0', '').length, 0);
  if (half === 4) return { address: address.join('.'), prefix };
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(i * 2).toString(16));
  return { address: groups.join(':'), prefix };
}

/** The elements of DER that stand one after the other; those that can be read, since there may be more behind them. */
function elements(der: Buffer): { tag: number; content: Buffer }[] {
  const found: { tag: number; content: Buffer }[] = [];
  for (let at = 0; at + 2 <= der.length; ) {
    const tag = der[at]!;
    let length = der[at + 1]!;
    let begin = at + 2;
    if (length & 0x80) {
      const bytes = length & 0x7f;
      if (bytes < 1 || bytes > 3 || begin + bytes > der.length) break;
      length = der.readUIntBE(begin, bytes);
      begin += bytes;
    }
    if (begin + length > der.length) break;
    found.push({ tag, content: der.subarray(begin, begin + length) });
    at = begin + length;
  }
  return found;
}

/** The value of the extension. */
export function encodeConstraints({ dns, ip }: Permitted): Buffer {
  const trees = [
    ...dns.map((name) => element(DNS_NAME, Buffer.from(name, 'latin1'))),
    ...ip.map((subnet) => element(IP_ADDRESS, subnetBytes(subnet))),
  ];
  return element(SEQUENCE, element(PERMITTED, Buffer.concat(trees.map((base) => element(SEQUENCE, base)))));
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

/** Address and mask, one after the other. */
function subnetBytes({ address, prefix }: { address: string; prefix: number }): Buffer {
  const bytes = isIPv6(address) ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const mask = Buffer.from(bytes.map((_, i) => (0xff00 >> Math.max(0, Math.min(8, prefix - i * 8))) & 0xff));
  return Buffer.concat([bytes, mask]);
}

function ipv6Bytes(address: string): Buffer {
  const [before = '', after] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [first, last] = [groups(before), groups(after ?? '')];
  const middle = after === undefined ? [] : new Array<number>(8 - first.length - last.length).fill(0);
  return Buffer.from([...first, ...middle, ...last].flatMap((group) => [group >> 8, group & 0xff]));
}
