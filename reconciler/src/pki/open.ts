/** Everything by which the control plane and its clients know each other: authority, certificate, tokens, their files. */
import type { KeyObject } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Ambient } from '@plumb/schemas';
import { readPrivate, writePrivate } from '@plumb/schemas/files/private-file.ts';
import { caPin, formatJoinToken, parseJoinToken } from '@plumb/schemas/wire/join-token.ts';
import type { Store } from '../store/store.ts';
import { openAccountKey } from './account-key.ts';
import { pinsOf, trusted } from './authority.ts';
import { ServerIdentity, type TlsIdentity } from './identity.ts';
import { formatKubeconfig, tokenOfKubeconfig } from './kubeconfig.ts';
import { servingNames } from './serving.ts';
import { Tokens } from './tokens.ts';

/** Whether a date has come. A clock that was wrong when the machine started is right soon. */
const DUE_CHECK_MS = 5 * 60_000;
/** So often everything is looked at, files too: twice a day. */
const CHECKS_TO_LOOK = 144;

export interface PkiOptions {
  dataDir: string;
  store: Store;
  ambient: Ambient;
  /** Address that the server listens on. */
  host: string;
  /** Further names and addresses that clients use for the server. */
  names?: readonly string[];
  /** Told what was replaced or tightened, and of a renewal in the background that failed; it is tried again. */
  log?: (line: string) => void;
}

export interface Pki {
  tls: TlsIdentity;
  tokens: Tokens;
  /** Signs the tokens of ServiceAccounts. */
  accountKey: KeyObject;
  /** PEM text of the authority; of two, while one is about to follow the other. */
  readonly authority: string;
  /** What agents hold the authority to, as the second part of a join token. */
  readonly caPin: string;
  /** Whether an agent that sends this may join as any host: the whole join token, or its secret alone. */
  mayJoin(presented: string): boolean;
  /** Writes the kubeconfig for a server that is reached at `url`, now and whenever its content changes. Returns its path. */
  writeKubeconfig(url: string): Promise<string>;
  /** The administrator gets another token; the one before is void when this resolves. */
  rotateAdminToken(): Promise<string>;
  /** See {@link ServerIdentity.replaceAuthority}. */
  replaceAuthority(at: number): Promise<void>;
  authorityView(): AuthorityView;
  kubeconfigFile: string;
  /** Holds a join token for any host, as often as is wanted. Only where nobody but this machine reaches the server. */
  joinTokenFile: string | undefined;
  /** Ends renewal; resolves when none is under way. */
  close(): Promise<void>;
}

/** What may be known of the authority: pins and dates. */
export interface AuthorityView {
  pin: string;
  next?: { pin: string; takesOverAt: string };
}

/** Reads what the data folder holds and makes what it lacks. */
export async function openPki(options: PkiOptions): Promise<Pki> {
  const { dataDir, store, ambient, log = () => {} } = options;
  const kubeconfigFile = join(dataDir, 'kubeconfig');
  const joinTokenFile = isLoopback(options.host) ? join(dataDir, 'join-token') : undefined;
  const names = servingNames(options.host, options.names);
  const asked = names.filter((name) => name === options.host || options.names?.includes(name));
  const now = () => ambient.clock.now();
  const tls = new ServerIdentity({ folder: join(dataDir, 'pki'), names, asked, now, log });
  await tls.refresh();
  const pin = () => caPin(tls.authority.current.certificate);

  const accountKey = await openAccountKey(join(dataDir, 'pki'), log);
  const tokens = new Tokens(store, ambient);
  const keptConfig = await readPrivate(kubeconfigFile, { log });
  const admin = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
  let adminToken = await tokens.open('admin', 'api', admin, keptConfig && tokenOfKubeconfig(keptConfig));

  let joinSecret: string | undefined;
  if (joinTokenFile !== undefined) {
    const keptJoin = await readPrivate(joinTokenFile, { log });
    const agents = { name: 'agents', groups: [] };
    joinSecret = await tokens.open('join', 'join', agents, keptJoin && secretOf(keptJoin));
  } else {
    // One of a time when nobody else reached the server says nothing true any more.
    await rm(join(dataDir, 'join-token'), { force: true });
  }

  let url: string | undefined;
  let writing: Promise<void> = Promise.resolve();
  /** Both files say what is now, and are whole at any time. */
  const writeFiles = () => {
    const work = writing.then(async () => {
      if (joinTokenFile !== undefined && joinSecret !== undefined)
        await writeIfOther(joinTokenFile, `${formatJoinToken({ secret: joinSecret, caPin: pin() })}\n`);
      if (url === undefined) return;
      const authority = trusted(tls.authority);
      await writeIfOther(kubeconfigFile, formatKubeconfig({ server: url, authority, token: adminToken }));
    });
    writing = work.catch(() => {});
    return work;
  };
  await writeFiles();
  const failed = (error: Error) => log(`keys and certificates were not renewed: ${error.message}`);
  tls.onRenewed(() => void writeFiles().catch(failed));
  let checks = 0;
  const stopChecks = every(ambient, DUE_CHECK_MS, () => {
    if (++checks % CHECKS_TO_LOOK === 0 || tls.due) tls.refresh().catch(failed);
  });
  return {
    tls,
    tokens,
    accountKey,
    get authority() {
      return trusted(tls.authority);
    },
    kubeconfigFile,
    joinTokenFile,
    get caPin() {
      return pin();
    },
    mayJoin(presented) {
      const [secret = '', presentedPin = pin(), ...rest] = presented.trim().split('.');
      const known = pinsOf(tls.authority).includes(presentedPin);
      return rest.length === 0 && known && tokens.check(secret, 'join') !== undefined;
    },
    async writeKubeconfig(reached) {
      url = reached;
      await writeFiles();
      return kubeconfigFile;
    },
    async rotateAdminToken() {
      adminToken = await tokens.rotate('admin');
      await writeFiles();
      return adminToken;
    },
    async replaceAuthority(at) {
      await tls.replaceAuthority(at);
      await writeFiles();
    },
    authorityView() {
      const { next } = tls.authority;
      return {
        pin: pin(),
        ...(next ? { next: { pin: caPin(next.certificate), takesOverAt: new Date(next.at).toISOString() } } : {}),
      };
    },
    async close() {
      stopChecks();
      await tls.settled();
      await writing;
    },
  };
}

/** Whether a server that listens there is reached from its own machine alone. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** The URL at which a client on this machine reaches a server that listens on `host`. */
export function localUrl(host: string, port: number): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `https://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`;
}

/** What cannot be read is written anew, beside it and then in its place. */
async function writeIfOther(path: string, text: string): Promise<void> {
  if ((await readPrivate(path).catch(() => undefined)) !== text) await writePrivate(path, text);
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
