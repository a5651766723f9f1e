/**
 * Opens an image on a web server. Its name is resolved once, the addresses are judged, and the connection is made to one that
 * was judged: nobody resolves a second time. Each redirect is judged like the first URL.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '@plumb/schemas/meta/ambient.ts';
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';
import { type Address, addressText, type Block, parseAddress } from '@plumb/schemas/sources/address.ts';
import type { SourceRules, Verdict } from '@plumb/schemas/sources/source-rules.ts';
import { discreetly, notFound, reasonOf, refused, unavailable } from './failures.ts';

export interface HttpSurroundings {
  rules: SourceRules;
  clock: Clock;
  /** The addresses of a name, as texts. */
  resolve(host: string): Promise<string[]>;
  /** What this machine takes for itself. */
  ownAddresses(): Promise<Block[]>;
  /** For the operator: what a discreet message leaves out. */
  log(line: string): void;
}

type Headers = Record<string, string>;

const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Statuses that say that the URL is wrong, and not that its server has a bad moment. */
const GONE: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 410]);
/** Of several addresses, one that does not answer must not take the whole time. */
const CONNECT_MS = 10_000;

export interface HttpAnswer {
  /** With status 200, and not read yet. */
  response: IncomingMessage;
  /** What a failure while it is read is told as. */
  failure(thrown: unknown): PlumbError;
}

/**
 * The answer to a GET of the URL. `ImageSourceRefused`, `ImageNotFound` (terminal), `ImageUnavailable` (retry). `url` is
 * what messages name.
 */
export async function openHttp(url: string, around: HttpSurroundings, signal: AbortSignal): Promise<HttpAnswer> {
  const first = URL.parse(url);
  if (first === null) throw notFound(url, 'the URL cannot be read');
  const authorization = credentialsOf(first);
  let at = withoutCredentials(first);
  for (let redirectsLeft = MOST_REDIRECTS; ; redirectsLeft--) {
    const { addresses, verdict } = await judged(url, at, around);
    const failure = (thrown: unknown) => {
      const told = thrown instanceof PlumbError ? thrown : unavailable(url, reasonOf(thrown), thrown);
      if (verdict === 'open') return told;
      around.log(`${told.message} (at ${addresses.map(addressText).join(', ')})`);
      return discreetly(url);
    };
    const headers: Headers = at.origin === first.origin && authorization !== undefined ? { authorization } : {};
    try {
      const response = await send(at, addresses, headers, around.clock, signal);
      const target = redirectOf(url, at, response, redirectsLeft);
      if (target === undefined && response.statusCode === 200) return { response, failure };
      response.destroy();
      at = target ?? fail(url, response);
    } catch (thrown) {
      throw signal.aborted ? signal.reason : failure(thrown);
    }
  }
}

/** Addresses of the host that may be connected to: at least one. */
async function judged(
  url: string,
  at: URL,
  { rules, resolve, ownAddresses }: HttpSurroundings,
): Promise<{ addresses: Address[]; verdict: Verdict }> {
  const host = hostOf(at);
  if (rules.restricted && !rules.namesAddresses && !rules.namesHost(host)) throw refused(url);
  const literal = parseAddress(host);
  const resolved = literal ? [literal] : (await resolve(host).catch(() => [])).map(parseAddress);
  const known = resolved.filter((address) => address !== undefined);
  if (known.length === 0 && rules.restricted && !rules.namesHost(host)) throw refused(url);
  if (known.length === 0) throw unavailable(url, 'its name has no address');
  const own = await ownAddresses();
  const port = Number(at.port) || (at.protocol === 'https:' ? 443 : 80);
  const verdicts = known.map((address) => ({ address, verdict: rules.judge(host, port, address, own) }));
  const allowed = verdicts.filter(({ verdict }) => verdict !== 'refused');
  if (allowed.length === 0) throw refused(url);
  const verdict = allowed.every(({ verdict }) => verdict === 'open') ? 'open' : 'discreet';
  return { addresses: allowed.map(({ address }) => address), verdict };
}

/** Asks the first address that answers. */
async function send(
  at: URL,
  addresses: readonly Address[],
  headers: Headers,
  clock: Clock,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  for (const address of addresses.slice(0, -1)) {
    try {
      return await sendTo(at, address, headers, clock, signal);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
    }
  }
  return sendTo(at, addresses.at(-1)!, headers, clock, signal);
}

function sendTo(
  at: URL,
  address: Address,
  headers: Headers,
  clock: Clock,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const secure = at.protocol === 'https:';
    const socket = secure ? tlsTo(at, address) : connectTcp(Number(at.port) || 80, addressText(address));
    const giveUp = clock.after(CONNECT_MS, () => socket.destroy(new Error('its server does not answer')));
    socket.once(secure ? 'secureConnect' : 'connect', giveUp);
    socket.once('close', giveUp);
    const request: ClientRequest = (secure ? httpsRequest : httpRequest)({
      method: 'GET',
      path: `${at.pathname}${at.search}`,
      headers: { host: at.host, accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'plumb', ...headers },
      createConnection: () => socket, // An agent, of Node's or of the environment's, would make a connection of its own.
      signal,
    });
    request.on('response', resolve);
    request.on('error', (error) => {
      socket.destroy();
      reject(error);
    });
    request.end();
  });
}

/** The certificate must be that of the name in the URL, whatever the environment says. */
function tlsTo(at: URL, address: Address): Socket {
  const host = hostOf(at).replace(/\.$/, '');
  const isName = parseAddress(host) === undefined;
  return connectTls({
    host: addressText(address),
    port: Number(at.port) || 443,
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    ...(isName ? { servername: host } : {}),
  });
}

/** Where the answer sends us; undefined when it does not. Throws when nobody may go there whatever its address is. */
function redirectOf(
  url: string,
  at: URL,
  { statusCode = 0, headers }: IncomingMessage,
  redirectsLeft: number,
): URL | undefined {
  if (!REDIRECTS.has(statusCode) || headers.location === undefined) return undefined;
  if (redirectsLeft === 0) throw notFound(url, `it redirects more than ${MOST_REDIRECTS} times`);
  const target = URL.parse(headers.location, at.href);
  if (target === null) throw notFound(url, 'it redirects to what is no URL');
  const web = target.protocol === 'https:' || target.protocol === 'http:';
  if (!web) throw notFound(url, 'it redirects to another kind of URL than https and http');
  if (at.protocol === 'https:' && target.protocol === 'http:') throw notFound(url, 'it redirects from https to http');
  return withoutCredentials(target);
}

function fail(url: string, { statusCode = 0, statusMessage = '' }: IncomingMessage): never {
  const said = `the server answered ${statusCode} ${printable(statusMessage, 60)}`.trim();
  throw GONE.has(statusCode) ? notFound(url, `${said}. Check the URL`) : unavailable(url, said);
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function withoutCredentials(url: URL): URL {
  const bare = new URL(url.href);
  bare.username = '';
  bare.password = '';
  return bare;
}

/** As RFC 7617 says; undefined where the URL has neither name nor password. */
function credentialsOf({ username, password }: URL): string | undefined {
  if (!username && !password) return undefined;
  return `Basic ${Buffer.from(`${percentDecoded(username)}:${percentDecoded(password)}`).toString('base64')}`;
}

/** The text as it is where it is no percent-encoding: a URL may hold a bare percent sign there. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
