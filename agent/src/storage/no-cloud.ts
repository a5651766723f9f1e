import type { HostResource } from '@plumb/schemas';

type SeedSpec = HostResource<'seed'>['spec'];

/** Linux gives interfaces no longer names (IFNAMSIZ, with its final NUL). */
const INTERFACE_NAME = /^[a-z][a-z0-9-]{0,14}$/;

/**
 * The files of a NoCloud seed (cloud-init's documentation, data source NoCloud), by their names. Scalars are JSON strings,
 * which are YAML as well, so that no value can become another key. Without user data the guest finds an empty cloud-config.
 */
export function seedFiles(spec: SeedSpec): Record<string, string> {
  const lines = [`instance-id: ${JSON.stringify(spec.instanceId)}`, `local-hostname: ${JSON.stringify(spec.hostname)}`];
  if (spec.sshKeys.length > 0) lines.push('public-keys:', ...spec.sshKeys.map((key) => `  - ${JSON.stringify(key)}`));
  return {
    'meta-data': `${lines.join('\n')}\n`,
    'user-data': spec.userData ?? '#cloud-config\n{}\n',
    ...(spec.interfaces === undefined ? {} : { 'network-config': networkConfig(spec.interfaces) }),
  };
}

/**
 * Every interface by DHCP, known by its Ethernet address (cloud-init's documentation, Networking config Version 2). The name
 * is set, since some of the programs that cloud-init writes for know interfaces by name only. The first one's default route
 * is the one that is used.
 */
function networkConfig(interfaces: NonNullable<SeedSpec['interfaces']>): string {
  const lines = interfaces.flatMap(({ name, macAddress }, index) => {
    const key = JSON.stringify(INTERFACE_NAME.test(name) ? name : `plumb${index}`);
    return [
      `  ${key}:`,
      `    match: {macaddress: ${JSON.stringify(macAddress)}}`,
      `    set-name: ${key}`,
      '    dhcp4: true',
      `    dhcp4-overrides: {route-metric: ${100 * (index + 1)}}`,
    ];
  });
  return ['version: 2', 'ethernets:', ...lines, ''].join('\n');
}
