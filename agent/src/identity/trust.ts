import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import type { Clock } from '@plumb/schemas';
import { retryable, terminal } from '@plumb/schemas';
import { readPrivate, readTrusted, writePrivate } from '@plumb/schemas/files/private-file.ts';
import { AGENT_SERVER_NAME, caPin, parseJoinToken } from '@plumb/schemas/wire/join-token.ts';
import { Turns } from '../turns.ts';
import { type Followed, followPin } from './endorsement.ts';

const PATIENCE_MS = 10_000;
/** Begins a line of the file that names the pin of an authority which was replaced. */
const INSTEAD = 'instead of ';

export interface TrustOptions {
  /** `https://host:port` of the control plane. */
  server: string;
  /** File that holds the join token. */
  tokenFile: string;
  dataDir: string;
  clock: Clock;
}

/** What is kept: an authority, and the pins of those that it has replaced. */
interface Kept {
  authority: string;
  instead: readonly string[];
}

/**
 * Which control plane an agent trusts: the one whose authority has the key that the join token names, or was vouched for by it
 * when it was replaced. The authority's certificate is kept after a verified contact, so that the token may be taken away from a
 * host that has joined. An authority that was replaced is not believed again, though the token still names it.
 */
export class Trust {
  readonly #options: TrustOptions;
  readonly #file: string;
  readonly #turns = new Turns();
  /** What the server last led to. */
  #followed: Followed | undefined;

  constructor(options: TrustOptions) {
    this.#options = options;
    this.#file = join(options.dataDir, 'control-plane.crt');
  }

  /**
   * PEM text of the authority against which the connection is to be verified. `anew`: ask the server for it even when
   * one is kept, because the last attempt failed. `signal` ends the asking. Throws `NoJoinToken` (retry),
   * `InvalidJoinToken` (terminal) and `ServerUnreachable`, `ServerNotTrusted` (retry).
   */
  async authority(anew: boolean, signal: AbortSignal): Promise<string> {
    const kept = await this.#kept();
    const own = kept && caPin(kept.authority);
    const token = await readTrusted(this.#options.tokenFile);
    if (token === undefined && own === undefined) throw this.#noToken();
    const named = token === undefined ? undefined : parseJoinToken(token).caPin;
    const pin = named === undefined || kept?.instead.includes(named) ? own! : named;
    if (kept && !anew && own === pin) return kept.authority;
    const followed = await askForAuthority(this.#options.server, pin, this.#options.clock, signal);
    this.#followed = { ...followed, instead: [...followed.instead, ...(own === pin ? kept!.instead : [])] };
    return followed.authority;
  }

  /** Pins by which the control plane of this authority is known: the authority's own, then of those that it has replaced. */
  async pins(authority: string): Promise<string[]> {
    const kept = await this.#kept();
    const instead = [
      ...(this.#followed?.authority === authority ? this.#followed.instead : []),
      ...(kept?.authority === authority ? kept.instead : []),
    ];
    return [...new Set([caPin(authority), ...instead])];
  }

  /** Pin of the authority that is kept; undefined when there is none. */
  async keptPin(): Promise<string | undefined> {
    const kept = await this.#kept();
    return kept && caPin(kept.authority);
  }

  /** Keeps the authority, with which a connection was verified. */
  verified(authority: string): Promise<void> {
    return this.#turns.take('file', async () => {
      const kept = await this.#kept();
      if (kept?.authority === authority) return;
      const instead = this.#followed?.authority === authority ? this.#followed.instead : [];
      await writePrivate(this.#file, `${instead.map((pin) => `${INSTEAD}${pin}\n`).join('')}${authority}`);
    });
  }

  async #kept(): Promise<Kept | undefined> {
    const text = await readPrivate(this.#file);
    if (text === undefined) return undefined;
    const begin = text.indexOf('-----BEGIN');
    if (!isCertificate(text.slice(Math.max(0, begin))))
      throw terminal(
        'InvalidAuthority',
        `${this.#file} is damaged: it holds no certificate of a control plane. Remove it, and start the agent with a join token of its server (plumb join-token create); it is the same host still`,
      );
    const instead = text
      .slice(0, Math.max(0, begin))
      .split('\n')
      .filter((line) => line.startsWith(INSTEAD));
    return { authority: text.slice(Math.max(0, begin)), instead: instead.map((line) => line.slice(INSTEAD.length)) };
  }

  /** The secret that lets a host join, read anew each time. Throws `NoJoinToken` (retry), `InvalidJoinToken`. */
  async joinSecret(): Promise<string> {
    const token = await readTrusted(this.#options.tokenFile);
    if (token === undefined) throw this.#noToken();
    return parseJoinToken(token).secret;
  }

  #noToken() {
    return retryable(
      'NoJoinToken',
      `there is no join token at ${this.#options.tokenFile}: put one there: plumb join-token create --host NAME, or the file join-token in the data folder of a server on this machine`,
    );
  }
}

/** `host` as tls.connect takes it, and the port, of a control plane's URL. Throws `InvalidServer` (terminal). */
export function serverAddress(server: string): { host: string; port: number } {
  const url = URL.parse(server);
  if (url?.protocol !== 'https:' || url.hostname === '')
    throw terminal('InvalidServer', `--server ${server} is not of the form https://host:port`);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443) };
}

/**
 * Takes the authority's certificate out of the chain that the server shows. Nothing else of this connection is
 * believed: the certificate counts only because its key is the one that the pin names, or was vouched for by it, and the
 * connection proper is then verified against it.
 */
function askForAuthority(server: string, pin: string, clock: Clock, signal: AbortSignal): Promise<Followed> {
  const { host, port } = serverAddress(server);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      servername: AGENT_SERVER_NAME,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    const fail = (why: string) =>
      reject(retryable('ServerUnreachable', `the server at ${server} cannot be reached: ${why}`));
    const end = clock.after(PATIENCE_MS, () => {
      fail(`no answer within ${PATIENCE_MS / 1000} s`);
      socket.destroy();
    });
    socket.once('secureConnect', () => {
      const followed = followPin(chainOf(socket.getPeerCertificate(true)), pin);
      if (followed === undefined)
        reject(
          retryable(
            'ServerNotTrusted',
            `the server at ${server} is not the one that the join token speaks of: take a token of this server`,
          ),
        );
      else resolve(followed);
      socket.destroy();
    });
    const abort = () => socket.destroy();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    socket.once('error', (error: Error) => fail(error.message));
    socket.once('close', () => {
      end();
      signal.removeEventListener('abort', abort);
      fail('it closed the connection');
    });
  });
}

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain = new Map<string, X509Certificate>();
  for (let next = leaf; next?.raw && !chain.has(next.fingerprint256); next = next.issuerCertificate) {
    chain.set(next.fingerprint256, new X509Certificate(next.raw));
  }
  return [...chain.values()];
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
