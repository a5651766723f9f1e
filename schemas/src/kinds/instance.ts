import type { FieldError } from '../meta/error.ts';
import { deletionProtection, labels, name, placedStatus, SUBDOMAIN_PATTERN } from '../meta/schema.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';

/** Type, key in base64, and a comment (OpenSSH, sshd(8), "authorized_keys file format", without options). */
const SSH_PUBLIC_KEY =
  '^(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\\.com) [A-Za-z0-9+/]+={0,3}( [^\\p{Cc}]*)?$';

/** What is held stands in keys of the store; with other characters it could be neither counted nor released. */
const IN_KEYS = /^[!-~]{1,128}$/;

/** Whether the disk is one that the instance with this uid starts from. */
export function isRootDiskOf(uid: string, { id, sha256 }: { id: string; sha256: string }): boolean {
  return id === `${uid}.root` || id === `${uid}.root-${sha256.slice(0, 8)}`;
}

/** All zeros stand for no address (IEEE 802: a null EUI-48); a guest's driver makes up another one. */
const NO_MAC = '00:00:00:00:00:00';

interface Declared {
  userData?: string;
  userDataFrom?: object;
  interfaces?: { macAddress?: string }[];
}

interface InstanceStatus {
  host?: string;
  rootDisk?: { id: string; sha256: string };
  interfaces?: { l3NetworkUid: string; macAddress: string; addresses: string[] }[];
}

export const instance = defineKind({
  kind: 'Instance',
  plural: 'instances',
  singular: 'instance',
  shortNames: ['vm'],
  scope: 'Namespaced',
  description: 'A virtual machine: where it runs, what it starts from, how large it is, and the networks it is on.',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['zone', 'offering', 'image', 'interfaces'],
    properties: {
      zone: { type: 'string', description: 'Name of the Zone it runs in.' },
      offering: { type: 'string', description: 'Name of the InstanceOffering that says its size.' },
      image: { type: 'string', description: 'Name of the Image that its root disk is a clone of.' },
      rootDiskMiB: {
        type: 'integer',
        minimum: 1,
        maximum: 16777216,
        description: 'Size of the root disk; the size of the image, if absent or smaller.',
      },
      interfaces: {
        type: 'array',
        minItems: 1,
        maxItems: 8,
        description: 'Network interfaces, keyed by name.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['name', 'l3Network'],
          properties: {
            name: { ...name, description: 'Name of the interface, unique in the instance.' },
            l3Network: { type: 'string', description: 'Name of the L3Network it is on, or project/name.' },
            addresses: {
              type: 'array',
              maxItems: 8,
              'x-kubernetes-list-type': 'atomic',
              items: { type: 'string', format: 'ipv4' },
              description: 'Addresses it must have; one is chosen from the ranges of the network, if absent.',
            },
            macAddress: {
              type: 'string',
              pattern: '^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$',
              description: 'Ethernet address, lower case, unicast; one is made from the uid, if absent.',
            },
          },
        },
      },
      power: {
        type: 'string',
        enum: ['Running', 'Stopped'],
        default: 'Running',
        description: 'Whether it is to run.',
      },
      restartPolicy: {
        type: 'string',
        enum: ['OnFailure', 'Always'],
        default: 'OnFailure',
        description:
          "OnFailure: a crash is repaired and the guest's own shutdown is respected. Always: it is started again after either.",
      },
      driftPolicy: {
        type: 'string',
        enum: ['Repair', 'Report'],
        default: 'Repair',
        description: 'What to do when the live instance differs from this declaration: repair it, or only say so.',
      },
      hostSelector: {
        type: 'object',
        additionalProperties: false,
        description: 'Which hosts of the zone it may run on; all, if absent.',
        properties: { matchLabels: { ...labels, description: 'Labels that the host must have.' } },
      },
      spread: {
        type: 'object',
        additionalProperties: false,
        required: ['group'],
        description: 'Keep instances of one group apart.',
        properties: {
          group: { ...name, description: 'Instances of the project with the same group are spread.' },
          hostLabel: {
            type: 'string',
            description: 'Host label whose values they are spread over; single hosts, if absent.',
          },
        },
      },
      allowDataLoss: {
        type: 'boolean',
        default: false,
        description: 'Whether a change of image may replace the root disk, and with it all that the guest has written.',
      },
      userData: {
        type: 'string',
        maxLength: 65536,
        'x-plumb-sensitive': true,
        description:
          'cloud-init user data, handed to the guest as a NoCloud seed. A change reaches it at its next start (RestartRequired says so), where cloud-init takes it for a new instance and applies all of it again.',
      },
      userDataFrom: {
        type: 'object',
        additionalProperties: false,
        required: ['secret', 'key'],
        description:
          'User data that is a value of a Secret of the same project, instead of userData. It is joined when the host is told; a change of the Secret reaches the guest as one of userData does.',
        properties: {
          secret: {
            type: 'string',
            maxLength: 253,
            pattern: SUBDOMAIN_PATTERN,
            description: 'Name of the Secret.',
          },
          key: {
            type: 'string',
            maxLength: 253,
            pattern: '^[-._a-zA-Z0-9]+$',
            description: 'Which of its values; at most 65536 bytes of text.',
          },
        },
      },
      sshKeys: {
        type: 'array',
        maxItems: 64,
        'x-kubernetes-list-type': 'set',
        items: { type: 'string', maxLength: 8192, pattern: SSH_PUBLIC_KEY },
        description:
          'SSH public keys for the default user of the image, as in a .pub file, one in each item: type, key, and a comment if you like. A change reaches the guest as one of userData does.',
      },
      deletionProtection,
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...placedStatus,
      host: {
        ...placedStatus.host,
        'x-plumb-settled': true,
        'x-plumb-altered-by': ['offering', 'interfaces', 'hostSelector', 'spread', 'power'],
      },
      power: { type: 'string', enum: ['Running', 'Stopped'], description: 'Whether it runs now.' },
      cpus: { type: 'integer', description: 'CPUs reserved for it on the host.' },
      memoryMiB: { type: 'integer', description: 'Memory reserved for it on the host.' },
      rootDisk: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'imageUid', 'sha256', 'format'],
        description: 'The disk it starts from.',
        properties: {
          id: { type: 'string', description: 'Identity of the disk on its host.' },
          imageUid: { type: 'string', description: 'Uid of the Image that it is a clone of.' },
          sha256: { type: 'string', description: 'Sum of the image as it was then.' },
          format: { type: 'string', enum: ['qcow2', 'raw'], description: 'Format of the image.' },
        },
      },
      interfaces: {
        type: 'array',
        description: 'The addresses it holds.',
        'x-plumb-settled': true,
        'x-plumb-altered-by': ['interfaces'],
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['name', 'l3Network', 'l3NetworkUid', 'macAddress', 'addresses'],
          properties: {
            name: { type: 'string', description: 'Name of the interface.' },
            l3Network: { type: 'string', description: 'The network it is on, as project/name.' },
            l3NetworkUid: { type: 'string', description: 'Uid of that network.' },
            macAddress: { type: 'string', description: 'Its Ethernet address.' },
            addresses: {
              type: 'array',
              items: { type: 'string' },
              'x-kubernetes-list-type': 'atomic',
              description: 'Its IP addresses.',
            },
          },
        },
      },
    },
  },
  columns: [
    { name: 'Power', path: 'status.power', type: 'string', description: 'Whether it runs now.' },
    { name: 'Host', path: 'status.host', type: 'string', description: 'The host it is placed on.' },
    {
      name: 'Addresses',
      path: 'status.interfaces[*].addresses',
      type: 'string',
      description: 'The addresses it holds.',
    },
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether it is as declared.',
    },
    { name: 'Reason', path: 'status.conditions[Ready].reason', type: 'string', description: 'Why.' },
    { name: 'Offering', path: 'spec.offering', type: 'string', description: 'Its size.', priority: 1 },
    { name: 'Image', path: 'spec.image', type: 'string', description: 'What it started from.', priority: 1 },
  ],
  immutable: ['zone', 'rootDiskMiB'],
  rules: ({ userData, userDataFrom, interfaces = [] }: Declared): FieldError[] => [
    ...(userData === undefined || userDataFrom === undefined
      ? []
      : [{ field: 'spec.userDataFrom', message: 'cannot be said together with userData: leave out one of them' }]),
    ...interfaces.flatMap(({ macAddress }, i) =>
      macAddress === NO_MAC
        ? [{ field: `spec.interfaces[${i}].macAddress`, message: `must not be ${NO_MAC}, which no interface can have` }]
        : [],
    ),
  ],
  references: [
    { path: 'zone', kind: 'Zone' },
    { path: 'offering', kind: 'InstanceOffering' },
    { path: 'image', kind: 'Image' },
    { path: 'interfaces[].l3Network', kind: 'L3Network' },
    { path: 'userDataFrom.secret', kind: 'Secret' },
  ],
  disruption: {
    image: 'dataLoss',
    offering: 'restart',
    interfaces: 'live',
    power: 'restart',
    restartPolicy: 'none',
  },
  contradiction: ({ metadata, status }) => {
    const { host, rootDisk, interfaces = [] } = (status ?? {}) as InstanceStatus;
    if (host !== undefined && !IN_KEYS.test(host)) return { field: 'status.host', message: 'is the name of no host' };
    for (const { l3NetworkUid, macAddress, addresses } of interfaces)
      if (!IN_KEYS.test(l3NetworkUid) || !IN_KEYS.test(macAddress) || addresses.some((one) => !IN_KEYS.test(one)))
        return { field: 'status.interfaces', message: 'has what is no uid, MAC or address' };
    if (rootDisk === undefined || isRootDiskOf(metadata.uid, rootDisk)) return undefined;
    return { field: 'status.rootDisk.id', message: 'is not the disk of an instance with this uid' };
  },
});

export type Instance = ObjectOf<typeof instance>;
