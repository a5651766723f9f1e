/** Everything by which the control plane and its clients know each other: authority, certificate, tokens, their files. */
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Ambient } from '@plumb/schemas';
import { caPin, formatJoinToken, parseJoinToken } from '@plumb/schemas/wire/join-token.ts';
import type { Store } from '../store/store.ts';
import { openAuthority } from './authority.ts';
import type { KeyPair } from './certificates.ts';
import { formatKubeconfig, tokenOfKubeconfig } from './kubeconfig.ts';
import { readPrivate, writePrivate } from './private-file.ts';
import { openServing, servingNames } from './serving.ts';
import { Tokens } from './tokens.ts';

const RENEWAL_CHECK_MS = 12 * 3_600_000;

export interface PkiOptions {
  dataDir: string;
  store: Store;
  ambient: Ambient;
  /** Address that the server listens on. */
  host: string;
  /** Further names and addresses that clients use for the server. */
  names?: readonly string[];
  /** Told when a renewal in the background failed; it is tried again. */
  onRenewalError?: (error: unknown) => void;
}

/** The certificate that a TLS server shows, which may be replaced while it runs. */
export interface TlsIdentity {
  /** PEM text: `cert` is the serving certificate followed by its authority, so that agents can hold it to their pin. */
  current(): { cert: string; key: string };
  /** Calls `listener` after the certificate was replaced. Returns a function that ends it. */
  onRenewed(listener: () => void): () => void;
}

export interface Pki {
  tls: TlsIdentity;
  tokens: Tokens;
  /** PEM text of the authority. */
  authority: string;
  /** Whether an agent that sends this may join: the whole join token, or its secret alone. */
  mayJoin(presented: string): boolean;
  /** Writes the kubeconfig for a server that is reached at `url`. Returns its path. */
  writeKubeconfig(url: string): Promise<string>;
  kubeconfigFile: string;
  joinTokenFile: string;
  /** Ends renewal; resolves when none is under way. */
  close(): Promise<void>;
}

/** Reads what the data folder holds and makes what it lacks. */
export async function openPki(options: PkiOptions): Promise<Pki> {
  const { dataDir, store, ambient } = options;
  const folder = join(dataDir, 'pki');
  const kubeconfigFile = join(dataDir, 'kubeconfig');
  const joinTokenFile = join(dataDir, 'join-token');
  const authority = await openAuthority(folder, ambient.clock.now());
  const names = servingNames(options.host, options.names);
  const tls = new RenewingIdentity(authority, () => openServing(folder, authority, names, ambient.clock.now()));
  await tls.refresh();

  const tokens = new Tokens(store, ambient);
  const keptConfig = await readPrivate(kubeconfigFile);
  const admin = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
  const adminToken = await tokens.open('admin', 'api', admin, keptConfig && tokenOfKubeconfig(keptConfig));

  const pin = caPin(authority.certificate);
  const keptJoin = await readPrivate(joinTokenFile);
  const agents = { name: 'agents', groups: [] };
  const joinSecret = await tokens.open('join', 'join', agents, keptJoin && secretOf(keptJoin));
  const joinToken = formatJoinToken({ secret: joinSecret, caPin: pin });
  if (keptJoin?.trim() !== joinToken) await writePrivate(joinTokenFile, `${joinToken}\n`);

  const stopRenewal = every(ambient, RENEWAL_CHECK_MS, () => tls.refresh().catch(options.onRenewalError ?? (() => {})));
  return {
    tls,
    tokens,
    authority: authority.certificate,
    kubeconfigFile,
    joinTokenFile,
    mayJoin(presented) {
      const [secret = '', presentedPin = pin, ...rest] = presented.trim().split('.');
      return rest.length === 0 && presentedPin === pin && tokens.check(secret, 'join') !== undefined;
    },
    async writeKubeconfig(url) {
      const text = formatKubeconfig({ server: url, authority: authority.certificate, token: adminToken });
      if ((await readPrivate(kubeconfigFile)) !== text) await writePrivate(kubeconfigFile, text);
      return kubeconfigFile;
    },
    close() {
      stopRenewal();
      return tls.settled();
    },
  };
}

/** The URL at which a client on this machine reaches a server that listens on `host`. */
export function localUrl(host: string, port: number): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `https://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`;
}

class RenewingIdentity implements TlsIdentity {
  readonly #authority: KeyPair;
  readonly #open: () => Promise<KeyPair>;
  readonly #listeners = new Set<() => void>();
  #current: { cert: string; key: string } | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(authority: KeyPair, open: () => Promise<KeyPair>) {
    this.#authority = authority;
    this.#open = open;
  }

  /** Looks whether the certificate is still good; once at a time, since two would write the same files. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#refreshing?.catch(() => {});
  }

  async #refresh(): Promise<void> {
    const { certificate, key } = await this.#open();
    const cert = certificate + this.#authority.certificate;
    if (this.#current?.cert === cert) return;
    this.#current = { cert, key };
    for (const listener of this.#listeners) listener();
  }

  current(): { cert: string; key: string } {
    if (!this.#current) throw new TypeError('refresh() comes first');
    return this.#current;
  }

  onRenewed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function secretOf(joinToken: string): string | undefined {
  try {
    return parseJoinToken(joinToken).secret;
  } catch {
    return undefined;
  }
}

function every(ambient: Ambient, ms: number, run: () => void): () => void {
  let stop = ambient.clock.after(ms, function again() {
    stop = ambient.clock.after(ms, again);
    run();
  });
  return () => stop();
}
