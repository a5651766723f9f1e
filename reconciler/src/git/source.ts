/** Where a repository may be: the operator's rules, applied to the file that is opened and the addresses that are connected to. */
import { lookup } from 'node:dns/promises';
import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addressText, parseAddress } from '@plumb/schemas/sources/address.ts';
import { ownAddresses } from '@plumb/schemas/sources/own-addresses.ts';
import { SourceRules, type SourceRulesInit } from '@plumb/schemas/sources/source-rules.ts';
import { refused, unavailable, unusable } from './failures.ts';

/** A repository that may be read. */
export interface Source {
  /** As git is told it: without name and password. */
  url: string;
  protocol: 'https' | 'file';
  /** Lines of git's configuration that go with it; some hold secrets. */
  config: string[];
}

/** Throws PlumbError `GitSourceRefused`, `CommitRefused` (terminal), `GitUnavailable` (retry). */
export async function allowed(url: string, init: SourceRulesInit): Promise<Source> {
  const rules = new SourceRules(init);
  const at = URL.parse(url);
  if (!at || (at.protocol !== 'https:' && at.protocol !== 'file:'))
    throw unusable('its url is neither https nor file: other protocols are not spoken');
  if (at.protocol === 'file:') return { url: await fileOf(url, at, rules), protocol: 'file', config: [] };
  return { protocol: 'https', ...(await serverOf(url, at, rules)) };
}

/** As a file URL of what is really there: links that lead out of the folders are followed before it is judged. */
async function fileOf(url: string, at: URL, rules: SourceRules): Promise<string> {
  if (at.host !== '' || at.search !== '' || at.hash !== '') throw refused(url);
  const real = await realpath(pathOf(url, at)).catch(() => undefined);
  const folders = await Promise.all(rules.folders.map((folder) => realpath(folder).catch(() => undefined)));
  const inside = (folder: string | undefined) => folder !== undefined && real?.startsWith(folder + sep);
  if (real === undefined || !folders.some(inside)) throw refused(url);
  return `file://${real}`;
}

function pathOf(url: string, at: URL): string {
  try {
    return fileURLToPath(at);
  } catch {
    throw refused(url);
  }
}

/** The name is resolved once, here, and git connects to an address that was judged. */
async function serverOf(url: string, at: URL, rules: SourceRules): Promise<Pick<Source, 'url' | 'config'>> {
  const host = at.hostname.replace(/^\[(.*)\]$/, '$1');
  if (rules.restricted && !rules.namesAddresses && !rules.namesHost(host)) throw refused(url);
  const literal = parseAddress(host);
  const texts = literal
    ? [addressText(literal)]
    : (await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address);
  const own = await ownAddresses();
  const port = Number(at.port) || 443;
  const known = texts.map(parseAddress).filter((address) => address !== undefined);
  if (known.length === 0 && !(rules.restricted && !rules.namesHost(host)))
    throw unavailable(url, 'its name has no address');
  const judged = known.filter((address) => rules.judge(host, port, address, own) !== 'refused');
  if (judged.length === 0) throw refused(url);
  const addresses = judged.map((a) => (a.family === 6 ? `[${addressText(a)}]` : addressText(a))).join(',');
  const { username, password } = at;
  const bare = new URL(at.href);
  [bare.username, bare.password, bare.search, bare.hash] = ['', '', '', ''];
  const config = ['[http]', `\tcurloptResolve = ${quoted(`${host}:${port}:${addresses}`)}`];
  if (username !== '' || password !== '') {
    const given = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
    config.push(`\textraHeader = ${quoted(`Authorization: Basic ${given}`)}`);
  }
  return { url: bare.href, config };
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
