/** Applies by several managers that were sent to a real kube-apiserver; what it answered is in testdata/apply.json. */

export interface Asked {
  /** PATCH with a declaration, if absent. */
  method?: 'POST' | 'MERGE' | 'JSON' | 'GET';
  /** Who; beside it other options of the query. */
  by?: string;
  path: string;
  body?: unknown;
}

export interface History {
  name: string;
  steps: Asked[];
}

type Fields = Record<string, unknown>;

const version = 'plumb.dev/v1';
const OFFERING = '/apis/plumb.dev/v1/instanceofferings';
const INSTANCES = '/apis/plumb.dev/v1/namespaces/default/instances';
const NETWORKS = '/apis/plumb.dev/v1/namespaces/default/l3networks';

let count = 0;

/** Each history has an object of its own. */
function history(name: string, make: (id: string) => Asked[]): History {
  return { name, steps: make(`apply-${++count}`) };
}

const offering = (name: string, spec: Fields, metadata: Fields = {}) => ({
  apiVersion: version,
  kind: 'InstanceOffering',
  metadata: { name, ...metadata },
  spec,
});
const network = (name: string, spec: Fields, metadata: Fields = {}) => ({
  apiVersion: version,
  kind: 'L3Network',
  metadata: { name, ...metadata },
  spec,
});
const instance = (name: string, spec: Fields, metadata: Fields = {}) => ({
  apiVersion: version,
  kind: 'Instance',
  metadata: { name, ...metadata },
  spec,
});
const whole = { zone: 'a', offering: 'a', image: 'a', interfaces: [{ name: 'eth0', l3Network: 'lab' }] };
const net = { l2Network: 'lan', ipv4: { cidr: '10.0.0.0/24' } };
const sized = { cpus: 1, memoryMiB: 128 };

export const histories: readonly History[] = [
  history('the same twice, by one and by two', (id) => [
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized, { labels: { x: '1' } }) },
    { method: 'GET', path: `${OFFERING}/${id}` },
  ]),
  history('a conflict, its force, and giving up', (id) => [
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 128 }) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 256 }) },
    { by: 'b&force=true', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 256 }) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 1, memoryMiB: 256 }) },
    { by: 'b&force=false', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 256 }) },
  ]),
  history('conflicts with two at once', (id) => [
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized, { labels: { x: '1' } }) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, sized, { labels: { y: '1' } }) },
    {
      by: 'c',
      path: `${OFFERING}/${id}`,
      body: offering(id, { cpus: 3, memoryMiB: 128 }, { labels: { x: '2', y: '2' } }),
    },
    {
      by: 'c&force=1',
      path: `${OFFERING}/${id}`,
      body: offering(id, { cpus: 3, memoryMiB: 128 }, { labels: { x: '2' } }),
    },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { memoryMiB: 128 }, { labels: { z: '1' } }) },
  ]),
  history('labels and annotations come and go', (id) => [
    {
      by: 'a',
      path: `${OFFERING}/${id}`,
      body: offering(id, sized, { labels: { x: '1', y: '1' }, annotations: { n: '1' } }),
    },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, sized, { labels: { y: '1' }, annotations: { m: '2' } }) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, sized, { annotations: { m: '2' } }) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { method: 'GET', path: `${OFFERING}/${id}` },
  ]),
  history('finalizers are a set', (id) => [
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized, { finalizers: ['a.dev/one'] }) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, sized, { finalizers: ['b.dev/two', 'a.dev/one'] }) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, sized, { finalizers: ['b.dev/two'] }) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, sized) },
  ]),
  history('interfaces are a map by name', (id) => [
    { by: 'a', path: `${INSTANCES}/${id}`, body: instance(id, whole) },
    { by: 'b', path: `${INSTANCES}/${id}`, body: instance(id, { interfaces: [{ name: 'eth1', l3Network: 'lab' }] }) },
    {
      by: 'b',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { interfaces: [{ name: 'eth0', addresses: ['10.0.0.5'] }] }),
    },
    {
      by: 'a',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { ...whole, interfaces: [{ name: 'eth0', l3Network: 'b' }] }),
    },
    { by: 'b', path: `${INSTANCES}/${id}`, body: instance(id, { interfaces: [{ name: 'eth0', l3Network: 'c' }] }) },
    {
      by: 'b&force=true',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { interfaces: [{ name: 'eth0', l3Network: 'c' }] }),
    },
    { by: 'b', path: `${INSTANCES}/${id}`, body: instance(id, {}) },
  ]),
  history('the order of items', (id) => [
    {
      by: 'a',
      path: `${INSTANCES}/${id}`,
      body: instance(id, {
        ...whole,
        interfaces: ['eth0', 'eth1', 'eth2'].map((name) => ({ name, l3Network: 'lab' })),
      }),
    },
    {
      by: 'b',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { interfaces: ['eth2', 'eth0'].map((name) => ({ name, l3Network: 'lab' })) }),
    },
    {
      by: 'b',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { interfaces: ['eth3', 'eth1'].map((name) => ({ name, l3Network: 'lab' })) }),
    },
    {
      by: 'a',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { ...whole, interfaces: ['eth2', 'eth0'].map((name) => ({ name, l3Network: 'lab' })) }),
    },
  ]),
  history('keys are a set, addresses one value', (id) => [
    { by: 'a', path: `${INSTANCES}/${id}`, body: instance(id, { ...whole, sshKeys: ['ssh-ed25519 AAAA a'] }) },
    {
      by: 'b',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { sshKeys: ['ssh-ed25519 BBBB b', 'ssh-ed25519 AAAA a'] }),
    },
    { by: 'a', path: `${INSTANCES}/${id}`, body: instance(id, whole) },
    { by: 'b', path: `${INSTANCES}/${id}`, body: instance(id, { sshKeys: [] }) },
    {
      by: 'a',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { ...whole, interfaces: [{ name: 'eth0', l3Network: 'lab', addresses: ['10.0.0.5'] }] }),
    },
    {
      by: 'b',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { interfaces: [{ name: 'eth0', addresses: ['10.0.0.6'] }] }),
    },
  ]),
  history('objects in objects, maps of labels', (id) => [
    {
      by: 'a',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { ...whole, hostSelector: { matchLabels: { rack: 'a' } } }),
    },
    { by: 'b', path: `${INSTANCES}/${id}`, body: instance(id, { hostSelector: { matchLabels: { row: '1' } } }) },
    { by: 'b', path: `${INSTANCES}/${id}`, body: instance(id, { spread: { group: 'web' } }) },
    { by: 'a', path: `${INSTANCES}/${id}`, body: instance(id, whole) },
    { by: 'b', path: `${INSTANCES}/${id}`, body: instance(id, { spread: { group: 'web', hostLabel: 'rack' } }) },
    { by: 'b', path: `${INSTANCES}/${id}`, body: instance(id, {}) },
  ]),
  history('ranges are one value, reserved a set', (id) => [
    {
      by: 'a',
      path: `${NETWORKS}/${id}`,
      body: network(id, { ...net, ipv4: { ...net.ipv4, reserved: ['10.0.0.9'] } }),
    },
    { by: 'b', path: `${NETWORKS}/${id}`, body: network(id, { ipv4: { reserved: ['10.0.0.8'] } }) },
    {
      by: 'b',
      path: `${NETWORKS}/${id}`,
      body: network(id, { ipv4: { ranges: [{ start: '10.0.0.10', end: '10.0.0.20' }] } }),
    },
    {
      by: 'a',
      path: `${NETWORKS}/${id}`,
      body: network(id, { ...net, ipv4: { ...net.ipv4, ranges: [{ start: '10.0.0.11', end: '10.0.0.20' }] } }),
    },
    {
      by: 'a',
      path: `${NETWORKS}/${id}`,
      body: network(id, { ...net, dns: { servers: ['10.0.0.2'], domain: 'a.internal' } }),
    },
    { by: 'b&force=true', path: `${NETWORKS}/${id}`, body: network(id, { dns: { servers: ['10.0.0.3'] } }) },
    { by: 'b', path: `${NETWORKS}/${id}`, body: network(id, {}) },
    { by: 'a', path: `${NETWORKS}/${id}`, body: network(id, net) },
  ]),
  history('writes beside declarations', (id) => [
    { method: 'POST', by: 'poster', path: OFFERING, body: offering(id, sized, { labels: { x: '1' } }) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 128 }) },
    { method: 'MERGE', by: 'patcher', path: `${OFFERING}/${id}`, body: { spec: { cpus: 3 } } },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 4, memoryMiB: 128 }) },
    { by: 'a&force=true', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 4, memoryMiB: 128 }) },
    { method: 'MERGE', by: 'patcher', path: `${OFFERING}/${id}`, body: { metadata: { labels: { x: null, y: '2' } } } },
    {
      method: 'JSON',
      by: 'json',
      path: `${OFFERING}/${id}`,
      body: [{ op: 'add', path: '/metadata/annotations', value: { n: '1' } }],
    },
    { method: 'MERGE', by: 'another', path: `${OFFERING}/${id}`, body: { spec: { cpus: 5, memoryMiB: 512 } } },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 4, memoryMiB: 128 }) },
  ]),
  history('the record is sent, reset, and sent again', (id) => [
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { method: 'MERGE', by: 'b', path: `${OFFERING}/${id}`, body: { metadata: { managedFields: [{}] } } },
    { method: 'MERGE', by: 'b', path: `${OFFERING}/${id}`, body: { metadata: { labels: { x: '1' } } } },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 128 }) },
    { method: 'MERGE', by: 'b', path: `${OFFERING}/${id}`, body: { metadata: { managedFields: [] } } },
    {
      method: 'MERGE',
      by: 'b',
      path: `${OFFERING}/${id}`,
      body: {
        metadata: {
          managedFields: [
            {
              manager: 'own',
              operation: 'Apply',
              apiVersion: version,
              fieldsType: 'FieldsV1',
              fieldsV1: { 'f:spec': { 'f:cpus': {} } },
            },
          ],
        },
      },
    },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 128 }) },
  ]),
  history('status by its own road', (id) => [
    { by: 'a', path: `${OFFERING}/${id}`, body: { ...offering(id, sized), status: { observedGeneration: 3 } } },
    {
      by: 's',
      path: `${OFFERING}/${id}/status`,
      body: { ...offering(id, { cpus: 9 }), status: { observedGeneration: 1 } },
    },
    { by: 't', path: `${OFFERING}/${id}/status`, body: { ...offering(id, {}), status: { observedGeneration: 2 } } },
    {
      by: 't&force=true',
      path: `${OFFERING}/${id}/status`,
      body: { ...offering(id, {}), status: { observedGeneration: 2 } },
    },
    { method: 'MERGE', by: 'm', path: `${OFFERING}/${id}/status`, body: { status: { observedGeneration: 4 } } },
    { by: 't', path: `${OFFERING}/${id}/status`, body: { ...offering(id, {}), status: { observedGeneration: 2 } } },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 128 }) },
  ]),
  history('dry runs', (id) => [
    { by: 'a&dryRun=All', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { method: 'GET', path: `${OFFERING}/${id}` },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'b&dryRun=All', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 128 }) },
    { by: 'b&dryRun=All&force=true', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 128 }) },
    { method: 'GET', path: `${OFFERING}/${id}` },
  ]),
  history('what is refused', (id) => [
    { path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'a', path: `${OFFERING}/${id}`, body: {} },
    { by: 'a', path: `${OFFERING}/${id}`, body: { ...offering(id, sized), kind: 'Zone' } },
    { by: 'a', path: `${OFFERING}/${id}`, body: { ...offering(id, sized), apiVersion: 'plumb.dev/v9' } },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering('another', sized) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized, { managedFields: [] }) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized, { managedFields: [{}] }) },
    { by: 'a', path: `${OFFERING}/${id}/status`, body: offering(id, {}) },
    { by: 'a'.repeat(129), path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized, { uid: 'other' }) },
  ]),
  history('what does not fit its schema', (id) => [
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { ...sized, what: 1 }) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 'x', memoryMiB: 128 }) },
    {
      by: 'a',
      path: `${INSTANCES}/${id}`,
      body: instance(id, {
        ...whole,
        interfaces: [
          { name: 'a', l3Network: 'b' },
          { name: 'a', l3Network: 'c' },
        ],
      }),
    },
    { by: 'a', path: `${INSTANCES}/${id}`, body: instance(id, { ...whole, interfaces: [{ l3Network: 'b' }] }) },
    {
      by: 'a',
      path: `${INSTANCES}/${id}`,
      body: instance(id, { ...whole, sshKeys: ['ssh-ed25519 A a', 'ssh-ed25519 A a'] }),
    },
    { by: 'a', path: `${INSTANCES}/${id}`, body: instance(id, { ...whole, zone: 5 }) },
    { by: 'a', path: `${INSTANCES}/${id}`, body: instance(id, { ...whole, spread: [] }) },
  ]),
  history('versions and uids that the client names', (id) => [
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 128 }, { uid: 'another' }) },
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 128 }, { resourceVersion: '1' }) },
    {
      by: 'a',
      path: `${OFFERING}/${id}`,
      body: offering(id, sized, { generation: 9, creationTimestamp: '2020-01-01T00:00:00Z' }),
    },
  ]),
  history('a declaration of nothing', (id) => [
    { by: 'a', path: `${OFFERING}/${id}`, body: offering(id, sized) },
    {
      by: 'b',
      path: `${OFFERING}/${id}`,
      body: { apiVersion: version, kind: 'InstanceOffering', metadata: { name: id } },
    },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, {}, { labels: {} }) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, {}, { labels: { x: '1' } }) },
    { by: 'b', path: `${OFFERING}/${id}`, body: offering(id, {}) },
  ]),
  history("kubectl's note", (id) => {
    const note = (spec: Fields) => ({
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(offering(id, spec)) },
    });
    return [
      { method: 'POST', by: 'kubectl-client-side-apply', path: OFFERING, body: offering(id, sized, note(sized)) },
      { by: 'other', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2 }) },
      { by: 'kubectl', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 2, memoryMiB: 128 }) },
      { method: 'MERGE', by: 'patcher', path: `${OFFERING}/${id}`, body: { spec: { cpus: 7 } } },
      { by: 'kubectl', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 3, memoryMiB: 128 }) },
      { by: 'kubectl&force=true', path: `${OFFERING}/${id}`, body: offering(id, { cpus: 3, memoryMiB: 128 }) },
    ];
  }),
];
