/**
 * A kube-apiserver of its own for the corpus, with etcd and no controllers. Its kinds are Plumb's own as CustomResourceDefinitions; what Plumb's admission adds to an object, an admission policy
 * adds there.
 */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '@plumb/schemas';
import { customResourceDefinition } from '@plumb/schemas/project/crd.ts';
import { buildPrograms } from '../../bench/peers/kubernetes/build.ts';
import { endProgramsOnExit, type Program, startProgram, waitUntil } from '../../bench/peers/program.ts';
import { makeCertificates } from '../../bench/src/floor/certificates.ts';
import { freePort } from '../../bench/src/processes/free-port.ts';
import { type Peer, Wire } from '../../reconciler/src/api/oracle/wire.ts';

export interface KubeServer {
  peer: Peer;
  /** Name, version and SHA-256 of what answered. */
  binary: { name: string; version: string; sha256: string };
  close(): Promise<void>;
}

/** Resolves when the kinds are served. `folder` is not there yet. */
export async function startKubeServer(folder: string, say: (line: string) => void): Promise<KubeServer> {
  endProgramsOnExit();
  const { paths, versions } = await buildPrograms(['etcd', 'apiserver'], say);
  mkdirSync(folder, { recursive: true });
  const ports = { etcd: await freePort(), etcdPeer: await freePort(), apiserver: await freePort() };
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const { authority, serving } = await makeCertificates(Date.now());
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const token = randomBytes(24).toString('hex');
  const url = `https://127.0.0.1:${ports.apiserver}`;
  const peer: Peer = { url, authority, token };
  await using started = new AsyncDisposableStack();
  const running: Program[] = [];
  const start = (name: string, path: string, args: string[]) => {
    const program = startProgram({ name, path, args, log: join(folder, `${name}.log`), env: {} });
    running.push(program);
    started.defer(() => program.end());
  };
  const wire = new Wire(peer);
  started.defer(() => wire.close());
  start('etcd', paths.etcd, [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${ports.etcd}`,
    `--advertise-client-urls=http://127.0.0.1:${ports.etcd}`,
    `--listen-peer-urls=http://127.0.0.1:${ports.etcdPeer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${ports.etcdPeer}`,
    `--initial-cluster=default=http://127.0.0.1:${ports.etcdPeer}`,
    '--log-level=warn',
  ]);
  const signing = file('service-accounts.key', keys.privateKey.export({ type: 'sec1', format: 'pem' }).toString());
  start('kube-apiserver', paths.apiserver, [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${ports.apiserver}`,
    `--tls-cert-file=${file('serving.crt', serving.certificate)}`,
    `--tls-private-key-file=${file('serving.key', serving.key)}`,
    `--token-auth-file=${file('tokens.csv', `${token},admin,admin,system:masters\n`)}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${signing}`,
    `--service-account-signing-key-file=${signing}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none',
    '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
    '--watch-cache=true',
    '--profiling=false',
  ]);
  const ready = async () => (await wire.ask({ method: 'GET', path: '/readyz', headers: {} })).body.toString() === 'ok';
  await waitUntil('the API server is ready', running, ready);
  await declareKinds(wire, running);
  const all = started.move();
  const sha256 = createHash('sha256').update(readFileSync(paths.apiserver)).digest('hex');
  return {
    peer,
    binary: { name: 'kube-apiserver', version: versions.apiserver!, sha256 },
    close: () => all.disposeAsync(),
  };
}

async function declareKinds(wire: Wire, running: readonly Program[]): Promise<void> {
  const post = async (path: string, value: object) => {
    const raw = await wire.ask({ method: 'POST', path, headers: {}, body: JSON.stringify(value) });
    if (raw.status !== 201) throw new Error(`POST ${path}: ${raw.status} ${raw.body}`);
  };
  for (const kind of kinds)
    await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', customResourceDefinition(kind));
  await post(`${ADMISSION}/mutatingadmissionpolicies`, finalizerPolicy());
  await post(`${ADMISSION}/mutatingadmissionpolicybindings`, {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingAdmissionPolicyBinding' },
    metadata: { name: 'finalizers.plumb.dev' },
    spec: { policyName: 'finalizers.plumb.dev' },
  });
  const probe = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'probe' }, spec: {} };
  await waitUntil('its kinds and the policy are in force', running, async () => {
    for (const { plural } of kinds)
      if ((await wire.ask({ method: 'GET', path: `/apis/plumb.dev/v1/${plural}`, headers: {} })).status !== 200)
        return false;
    const path = '/apis/plumb.dev/v1/zones?dryRun=All';
    const made = await wire.ask({ method: 'POST', path, headers: {}, body: JSON.stringify(probe) });
    return made.status === 201 && made.body.includes('plumb.dev/zone');
  });
}

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

/** Every object of Plumb's kinds bears a finalizer while it lives, so that its controller can end what runs for it. */
function finalizerPolicy() {
  const own = `"plumb.dev/" + object.kind.lowerAscii()`;
  const there = `has(object.metadata.finalizers) ? object.metadata.finalizers : []`;
  return {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingAdmissionPolicy' },
    metadata: { name: 'finalizers.plumb.dev' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['plumb.dev'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['*'] },
        ],
      },
      matchConditions: [
        {
          name: 'lacks-it',
          expression: `(oldObject == null || !has(oldObject.metadata.deletionTimestamp)) && !((${there}).exists(f, f == ${own}))`,
        },
      ],
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: `[JSONPatch{op: "add", path: "/metadata/finalizers", value: (${there}) + [${own}]}]`,
          },
        },
      ],
    },
  };
}
