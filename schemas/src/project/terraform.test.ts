import { describe, expect, test } from 'vitest';
import { defineKind, everyKind, type KindDefinition, kindByName } from '../index.ts';
import { snakeCase, terraformKind } from './terraform.ts';

describe('names', () => {
  test.each([
    ['l3Network', 'l3_network'],
    ['L3Network', 'l3_network'],
    ['l3NetworkUid', 'l3_network_uid'],
    ['memoryMiB', 'memory_mib'],
    ['maxSizeMiB', 'max_size_mib'],
    ['rootDiskMiBLimit', 'root_disk_mib_limit'],
    ['mtuBytes', 'mtu_bytes'],
    ['sshKeys', 'ssh_keys'],
    ['sha256', 'sha256'],
    ['ipv4', 'ipv4'],
    ['vlanId', 'vlan_id'],
    ['FloatingIP', 'floating_ip'],
    ['IPRange', 'ip_range'],
    ['nonResourceURLs', 'non_resource_urls'],
    ['virtualIPsOf', 'virtual_ips_of'],
    ['InstanceOffering', 'instance_offering'],
  ])('%s is %s', (camel, snake) => expect(snakeCase(camel)).toBe(snake));
});

describe('every kind that is a resource', () => {
  test.each(everyKind.filter((k) => k.terraform !== false).map((k) => k.kind))('%s', async (name) => {
    const { typeName, replacedBy, resource, dataSource } = terraformKind(kindByName(name)!);
    const shown = JSON.stringify({ typeName, replacedBy, resource, dataSource }, null, 2);
    await expect(`${shown}\n`).toMatchFileSnapshot(`testdata/terraform/${typeName}.json`);
  });
});

describe('what cannot be said is refused', () => {
  const declare = (properties: KindDefinition['spec']['properties'], status = {}): KindDefinition =>
    defineKind({
      kind: 'Odd',
      plural: 'odds',
      singular: 'odd',
      shortNames: [],
      scope: 'Cluster',
      description: 'A kind for this test.',
      spec: { type: 'object', additionalProperties: false, properties },
      status: { type: 'object', additionalProperties: false, properties: status },
      columns: [],
      immutable: [],
      references: [],
      disruption: {},
    });

  test.each(['name', 'project', 'labels', 'annotations', 'status', 'timeouts', 'forEach', 'dependsOn', 'lifecycle'])(
    'a field called %s',
    (field) => {
      expect(() => terraformKind(declare({ [field]: { type: 'string' } }))).toThrow(
        `Odd.spec.${field} cannot become a Terraform attribute: ${snakeCase(field)} is reserved`,
      );
    },
  );

  test('two fields with one name in snake_case', () => {
    expect(() => terraformKind(declare({ aB: { type: 'string' }, a_b: { type: 'string' } }))).toThrow(
      'aB and a_b are both a_b',
    );
  });

  test('a field of any type', () => {
    expect(() => terraformKind(declare({ any: {} }))).toThrow('Odd.spec.any cannot become');
  });

  test('only settled leaves of status are kept, at any depth, and no secret', () => {
    const kind = declare(
      {},
      {
        noise: { type: 'string' },
        link: {
          type: 'object',
          additionalProperties: false,
          properties: {
            peer: { type: 'string', 'x-plumb-settled': true },
            latencyMs: { type: 'number' },
            key: { type: 'string', 'x-plumb-settled': true, 'x-plumb-sensitive': true },
          },
        },
      },
    );
    const { status } = terraformKind(kind);
    expect(status.map((a) => a.name)).toEqual(['uid', 'link', 'ready']);
    expect(status[1]?.nested?.attributes.map((a) => a.name)).toEqual(['peer']);
  });
});
