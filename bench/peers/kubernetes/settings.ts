import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { makeCertificates } from '../../src/floor/certificates.ts';
import type { PeerAccess } from '../client.ts';

/** Ports of 127.0.0.1. */
export interface Ports {
  etcd: number;
  etcdPeer: number;
  apiserver: number;
}

/** Files that the programs read, and how the API server is reached. */
export interface Settings {
  access: PeerAccess;
  etcd: string[];
  apiserver: string[];
  scheduler: string[];
  kwok: string[];
  /** For every program. */
  env: Record<string, string>;
}

/** More than is ever asked for: a limit that limits nothing. */
const WITHOUT_LIMIT = 100_000;

/**
 * Garbage is collected when the heap has grown to five times what lives, not to twice: memory is not what is short on
 * this machine, and Go's collector takes a tenth of the processor time from them otherwise.
 */
const GOGC = '400';

/** Writes all files into `folder`. README.md beside this folder says why each setting is as it is. */
export async function writeSettings(
  folder: string,
  { etcd, etcdPeer, apiserver }: Ports,
  stages: readonly string[],
  now: number,
): Promise<Settings> {
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const { authority, serving } = await makeCertificates(now);
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const tokens = { bench: secret(), scheduler: secret(), kwok: secret() };
  const url = `https://127.0.0.1:${apiserver}`;
  const kubeconfig = (user: keyof typeof tokens) =>
    file(`${user}.kubeconfig`, stringify(kubeconfigOf(url, authority, tokens[user])));
  const signing = file('service-accounts.key', keys.privateKey.export({ type: 'sec1', format: 'pem' }).toString());
  const users = Object.entries(tokens).map(([user, token]) => `${token},${user},${user},system:masters\n`);
  const schedulerConfig = file('scheduler.yaml', stringify(schedulerConfiguration(kubeconfig('scheduler'))));
  const kwokConfig = [stringify(KWOK_CONFIGURATION), ...stages.map((stage) => readFileSync(stage, 'utf8'))];
  return {
    access: { url, authority, authorization: `Bearer ${tokens.bench}` },
    env: { GOGC },
    etcd: [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=http://127.0.0.1:${etcd}`,
      `--advertise-client-urls=http://127.0.0.1:${etcd}`,
      `--listen-peer-urls=http://127.0.0.1:${etcdPeer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${etcdPeer}`,
      `--initial-cluster=default=http://127.0.0.1:${etcdPeer}`,
      `--quota-backend-bytes=${8 * 2 ** 30}`,
      '--log-level=warn',
    ],
    apiserver: [
      `--etcd-servers=http://127.0.0.1:${etcd}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${apiserver}`,
      `--tls-cert-file=${file('serving.crt', serving.certificate)}`,
      `--tls-private-key-file=${file('serving.key', serving.key)}`,
      `--token-auth-file=${file('tokens.csv', users.join(''))}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${signing}`,
      `--service-account-signing-key-file=${signing}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--endpoint-reconciler-type=none',
      '--max-requests-inflight=0',
      '--max-mutating-requests-inflight=0',
      '--enable-priority-and-fairness=false',
      // A minute, its default, is too short for 10,000 deletions at once beside busy neighbours.
      '--request-timeout=30m',
      '--delete-collection-workers=16',
      '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
      '--profiling=false',
    ],
    scheduler: [`--config=${schedulerConfig}`, '--secure-port=0'],
    kwok: [
      `--kubeconfig=${kubeconfig('kwok')}`,
      `--config=${file('kwok.yaml', kwokConfig.join('\n---\n'))}`,
      '--manage-all-nodes=true',
    ],
  };
}

function kubeconfigOf(server: string, authority: string, token: string) {
  const data = Buffer.from(authority).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'bench', cluster: { server, 'certificate-authority-data': data } }],
    users: [{ name: 'bench', user: { token } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  };
}

function schedulerConfiguration(kubeconfig: string) {
  return {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    leaderElection: { leaderElect: false },
    clientConnection: {
      kubeconfig,
      contentType: 'application/vnd.kubernetes.protobuf',
      ...{ qps: WITHOUT_LIMIT, burst: WITHOUT_LIMIT },
    },
    // The least that it takes: it stops looking at 100 hosts that fit.
    percentageOfNodesToScore: 1,
    enableProfiling: false,
  };
}

const KWOK_CONFIGURATION = {
  apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
  kind: 'KwokConfiguration',
  options: {
    // 1,000 hosts would write 100 leases a second at its default of 40 s.
    nodeLeaseDurationSeconds: 400,
    podPlayStageParallelism: 64,
    nodePlayStageParallelism: 64,
    nodeLeaseParallelism: 16,
    enableDebuggingHandlers: false,
  },
};

function secret(): string {
  return randomBytes(24).toString('hex');
}
