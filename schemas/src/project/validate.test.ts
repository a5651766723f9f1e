import { describe, expect, test } from 'vitest';
import { defineKind, type KindDefinition, kinds } from '../index.ts';
import { applyDefaults } from './defaults.ts';
import { validateObject, validateStatus } from './validate.ts';
import { immutableErrors } from './validate-immutable.ts';
import { editDistance, nearest } from './validate-nearest.ts';
import { dropUnknownFields } from './validate-unknown.ts';

const kind = (name: string): KindDefinition => kinds.find((k) => k.kind === name)!;
const instance = kind('Instance');
const strict = { strictUnknown: true };

const validInstance = () => ({
  apiVersion: 'plumb.dev/v1',
  kind: 'Instance',
  metadata: { name: 'web-0', namespace: 'default' } as Record<string, unknown>,
  spec: {
    zone: 'home',
    offering: 'small',
    image: 'tiny',
    interfaces: [{ name: 'eth0', l3Network: 'lab', addresses: ['10.20.0.11'] }],
  } as Record<string, unknown>,
});

function messages(definition: KindDefinition, object: unknown): string[] {
  return validateObject(definition, applyDefaults(definition, object), strict).map((e) => `${e.field} ${e.message}`);
}

describe('validateObject', () => {
  test('accepts what the design shows', () => {
    expect(messages(instance, validInstance())).toEqual([]);
  });

  test.each(['999.0.0.0/99', '10.20.0.0', '10.20.0.0/33', '10.20.0/24', '10.020.0.0/24', 'fd00::/64'])(
    'refuses the subnet %s where it stands',
    (cidr) => {
      const network = (text: string) => ({
        apiVersion: 'plumb.dev/v1',
        kind: 'L3Network',
        metadata: { name: 'lab', namespace: 'default' },
        spec: { l2Network: 'lab', ipv4: { cidr: text } },
      });
      expect(messages(kind('L3Network'), network('10.20.0.0/24'))).toEqual([]);
      expect(messages(kind('L3Network'), network(cidr))).toEqual([
        `spec.ipv4.cidr must be an IPv4 subnet with its prefix length, such as 10.20.0.0/24, but is ${JSON.stringify(cidr)}`,
      ]);
    },
  );

  test('names every violation at once, each with path, rule and value', () => {
    const object = validInstance();
    object.metadata = { name: 'Web_0', lables: {} };
    object.spec = {
      zone: 3,
      ofering: 'small',
      image: 'tiny',
      power: 'running',
      rootDiskMiB: 0,
      interfaces: [{ name: 'eth0', l3Network: 'lab', addresses: ['10.20.0.11', '300.1.1.1'] }],
    };
    const found = messages(instance, object);
    expect(found).toContainEqual(
      expect.stringMatching(/^metadata\.name must match .*but is "Web_0": Lower case letters/),
    );
    expect(found).toContain('metadata.lables is not a known field: did you mean "labels"?');
    expect(found).toContain('spec.zone must be a string, but is 3 (an integer)');
    expect(found).toContain('spec.ofering is not a known field: did you mean "offering"?');
    expect(found).toContain('spec.offering is required: Name of the InstanceOffering that says its size.');
    expect(found).toContain('spec.power must be one of Running, Stopped, but is "running": did you mean "Running"?');
    expect(found).toContain('spec.rootDiskMiB must be at least 1, but is 0');
    expect(found).toContain('spec.interfaces[0].addresses[1] must be an IPv4 address, but is "300.1.1.1"');
    expect(found).toHaveLength(8);
  });

  test('lists what is known where nothing is near', () => {
    const found = messages(kind('InstanceOffering'), {
      apiVersion: 'plumb.dev/v1',
      kind: 'InstanceOffering',
      metadata: { name: 'small' },
      spec: { cpus: 1, memoryMiB: 128, colour: 'red' },
    });
    expect(found).toEqual(['spec.colour is not a known field; known here: cpus, memoryMiB, deletionProtection']);
  });

  test('refuses two items of a list map with the same key', () => {
    const object = validInstance();
    object.spec.interfaces = [
      { name: 'eth0', l3Network: 'a' },
      { name: 'eth1', l3Network: 'a' },
      { name: 'eth0', l3Network: 'b' },
    ];
    expect(messages(instance, object)).toEqual(['spec.interfaces[2] has the same name as item 0: "eth0"']);
  });

  test('runs the rules of the kind beside the bounds of its schema', () => {
    const found = messages(kind('L2Network'), {
      apiVersion: 'plumb.dev/v1',
      kind: 'L2Network',
      metadata: { name: 'lab' },
      spec: { zone: 'home', type: 'vxlan', physicalInterface: 'eth0', mtuBytes: 10 },
    });
    expect(found).toEqual([
      'spec.mtuBytes must be at least 576, but is 10',
      'spec.vni is required when type is vxlan',
      'spec.physicalInterface is only for type flat, and type is vxlan: leave it out',
    ]);
  });

  test('does not run rules on a spec whose shape is wrong', () => {
    const found = messages(kind('L2Network'), {
      apiVersion: 'plumb.dev/v1',
      kind: 'L2Network',
      metadata: { name: 'lab' },
      spec: { zone: 'home', type: 'vlxan', vni: 1 },
    });
    expect(found).toEqual(['spec.type must be one of flat, vxlan, but is "vlxan": did you mean "vxlan"?']);
  });

  test('keeps sensitive values out of messages', () => {
    const object = validInstance();
    object.spec.userData = ['hunter2'];
    const found = messages(instance, object);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('spec.userData must be a string');
    expect(found[0]).not.toContain('hunter2');
  });

  test('knows the syntax of labels', () => {
    const object = validInstance();
    object.metadata.labels = { 'plumb.dev/tier': 'web', 'not ok': 'x', tier: '-web' };
    const found = messages(instance, object);
    expect(found).toHaveLength(2);
    expect(found.join('\n')).toMatch(/metadata\.labels has the key "not ok"/);
    expect(found.join('\n')).toMatch(/metadata\.labels\.tier must match .* but is "-web"/);
  });

  test('refuses a namespace on a cluster-scoped kind', () => {
    const found = messages(kind('Zone'), {
      apiVersion: 'plumb.dev/v1',
      kind: 'Zone',
      metadata: { name: 'home', namespace: 'default' },
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^metadata\.namespace is not a known field/);
  });

  test('accepts what clients send back of what the server set', () => {
    const object = validInstance();
    Object.assign(object.metadata, { uid: 'u', resourceVersion: '7', managedFields: [], creationTimestamp: null });
    expect(messages(instance, { ...object, status: { anything: 1 } })).toEqual([]);
  });

  test('names the kind and version that are expected', () => {
    const found = messages(instance, { ...validInstance(), apiVersion: 'plumb.dev/v2', kind: 'Vm' });
    expect(found).toEqual([
      'apiVersion must be plumb.dev/v1, but is "plumb.dev/v2"',
      'kind must be Instance, but is "Vm"',
    ]);
  });

  test('a key that is not a plain word stands in brackets', () => {
    const object = validInstance();
    object.metadata.annotations = { 'plumb.dev/note': 1 };
    expect(messages(instance, object)[0]).toMatch(/^metadata\.annotations\[plumb\.dev\/note\] must be a string/);
  });

  test.each(['__proto__', 'constructor', 'toString'])('a field called %s is unknown, not inherited', (name) => {
    const object = validInstance();
    object.spec = JSON.parse(`{"${name}": {"x": 1}, ${JSON.stringify(object.spec).slice(1)}`);
    expect(messages(instance, object)[0]).toMatch(new RegExp(`^spec\\.${name} is not a known field`));
  });
});

describe('validateStatus', () => {
  test('names fields from status on', () => {
    expect(validateStatus(instance, { power: 'Paused', hosst: 'a' }, strict)).toEqual([
      { field: 'status.hosst', message: 'is not a known field: did you mean "host"?' },
      {
        field: 'status.power',
        message: 'Unsupported value: "Paused": supported values: "Running", "Stopped"',
        reason: 'FieldValueNotSupported',
      },
    ]);
  });
});

describe('dropUnknownFields', () => {
  test('removes in place and says what', () => {
    const object = validInstance();
    object.spec.ofering = 'x';
    object.spec.interfaces = [{ name: 'eth0', l3Network: 'lab', mac: 'x' }];
    const dropped = dropUnknownFields(instance, object);
    expect(dropped.map((d) => d.field)).toEqual(['spec.interfaces[0].mac', 'spec.ofering']);
    expect(messages(instance, object)).toEqual([]);
  });
});

describe('applyDefaults', () => {
  test('sets what was left out, keeps what was given, drops nulls', () => {
    const object = validInstance();
    object.spec.power = 'Stopped';
    object.spec.driftPolicy = null;
    applyDefaults(instance, object);
    expect(object.spec).toMatchObject({ power: 'Stopped', restartPolicy: 'OnFailure', driftPolicy: 'Repair' });
  });

  test('makes an absent spec an empty one', () => {
    expect(applyDefaults(kind('Zone'), { metadata: { name: 'home' } })).toEqual({
      metadata: { name: 'home' },
      spec: {},
    });
  });

  test('reaches into lists and does not share default objects', () => {
    const nested = defineKind({
      kind: 'Nested',
      plural: 'nesteds',
      singular: 'nested',
      shortNames: [],
      scope: 'Cluster',
      description: 'For this test.',
      spec: {
        type: 'object',
        additionalProperties: false,
        properties: {
          items: {
            type: 'array',
            items: {
              type: 'object',
              additionalProperties: false,
              properties: { tags: { type: 'array', items: { type: 'string' }, default: [] } },
            },
          },
        },
      },
      status: { type: 'object', additionalProperties: false, properties: {} },
      columns: [],
      immutable: [],
      references: [],
      disruption: {},
    }) as KindDefinition;
    const object = applyDefaults(nested, { spec: { items: [{}, {}] } });
    expect(object).toEqual({ spec: { items: [{ tags: [] }, { tags: [] }] } });
    const items = (object.spec as unknown as { items: { tags: string[] }[] }).items;
    expect(items[0]!.tags).not.toBe(items[1]!.tags);
  });
});

describe('immutableErrors', () => {
  const stored = (spec: Record<string, unknown>) => ({ spec }) as never;

  test('names the field, both values and the way out', () => {
    expect(immutableErrors(kind('Host'), stored({ zone: 'a' }), stored({ zone: 'b' }))).toEqual([
      {
        field: 'spec.zone',
        message:
          'cannot be changed from "a" to "b": it is fixed when the Host is created; delete it and create it again',
      },
    ]);
  });

  test('reads nested paths, and what stays equal is no error', () => {
    const l3 = kind('L3Network');
    const one = { l2Network: 'lab', ipv4: { cidr: '10.0.0.0/24', gateway: '10.0.0.1' } };
    expect(immutableErrors(l3, stored(one), stored({ ...one, ipv4: { cidr: '10.0.0.0/24' } }))).toEqual([]);
    const changed = immutableErrors(l3, stored(one), stored({ ...one, ipv4: { cidr: '10.1.0.0/24' } }));
    expect(changed.map((e) => e.field)).toEqual(['spec.ipv4.cidr']);
  });

  test('setting and removing count as changes', () => {
    expect(immutableErrors(instance, stored({}), stored({ rootDiskMiB: 5 }))[0]?.message).toMatch(/from nothing to 5/);
    expect(immutableErrors(instance, stored({ rootDiskMiB: 5 }), stored({}))[0]?.message).toMatch(/from 5 to nothing/);
  });
});

describe('nearest', () => {
  test.each([
    ['memoryMib', 'memoryMiB'],
    ['cpsu', 'cpus'],
    ['interface', 'interfaces'],
  ])('%s means %s', (word, meant) => {
    expect(nearest(word, ['cpus', 'memoryMiB', 'interfaces'])).toBe(meant);
  });

  test('says nothing rather than something far away', () => {
    expect(nearest('colour', ['cpus', 'memoryMiB'])).toBeUndefined();
  });

  test('a swap of neighbours is one edit', () => {
    expect(editDistance('ab', 'ba')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
  });
});
