import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import type { Clock } from '@plumb/schemas';
import { retryable, terminal } from '@plumb/schemas';
import { AGENT_SERVER_NAME, caPin, parseJoinToken } from '@plumb/schemas/wire/join-token.ts';
import { Turns } from '../turns.ts';
import { readPrivate, writePrivate } from './private-file.ts';

const PATIENCE_MS = 10_000;

export interface TrustOptions {
  /** `https://host:port` of the control plane. */
  server: string;
  /** File that holds the join token. */
  tokenFile: string;
  dataDir: string;
  clock: Clock;
}

/**
 * Which control plane an agent trusts: the one whose authority has the key that the join token names. The authority's
 * certificate is kept after a verified contact, so that the token may be taken away from a host that has joined.
 */
export class Trust {
  readonly #options: TrustOptions;
  readonly #file: string;
  readonly #turns = new Turns();

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
    const kept = await readPrivate(this.#file);
    const token = await readPrivate(this.#options.tokenFile);
    if (token === undefined) {
      if (kept !== undefined) return kept;
      throw this.#noToken();
    }
    const pin = parseJoinToken(token).caPin;
    if (kept !== undefined && !anew && caPin(kept) === pin) return kept;
    return askForAuthority(this.#options.server, pin, this.#options.clock, signal);
  }

  /** Keeps the authority, with which a connection was verified. */
  verified(authority: string): Promise<void> {
    return this.#turns.take('file', async () => {
      if ((await readPrivate(this.#file)) !== authority) await writePrivate(this.#file, authority);
    });
  }

  /** The secret that lets a host join, read anew each time. Throws `NoJoinToken` (retry), `InvalidJoinToken`. */
  async joinSecret(): Promise<string> {
    const token = await readPrivate(this.#options.tokenFile);
    if (token === undefined) throw this.#noToken();
    return parseJoinToken(token).secret;
  }

  #noToken() {
    return retryable(
      'NoJoinToken',
      `there is no join token at ${this.#options.tokenFile}: copy the file join-token there from the data folder of the server`,
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
 * believed: the certificate counts only because its key is the one that the pin names, and the connection proper is
 * then verified against it.
 */
function askForAuthority(server: string, pin: string, clock: Clock, signal: AbortSignal): Promise<string> {
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
      const authority = findAuthority(socket.getPeerCertificate(true), pin);
      if (authority === undefined)
        reject(
          retryable(
            'ServerNotTrusted',
            `the server at ${server} is not the one that the join token speaks of: copy the file join-token from the data folder of this server`,
          ),
        );
      else resolve(authority);
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

function findAuthority(leaf: DetailedPeerCertificate, pin: string): string | undefined {
  const seen = new Set<string>();
  for (let next = leaf; next?.raw && !seen.has(next.fingerprint256); next = next.issuerCertificate) {
    seen.add(next.fingerprint256);
    const certificate = new X509Certificate(next.raw);
    if (certificate.ca && caPin(next.raw) === pin) return certificate.toString();
  }
  return undefined;
}
