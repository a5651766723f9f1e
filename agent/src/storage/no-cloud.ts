import type { Thing } from '@plumb/schemas';

/**
 * The files of a NoCloud seed (cloud-init's documentation, data source NoCloud). Scalars are JSON strings, which are
 * YAML as well, so that no value can become another key. Without user data the guest finds an empty cloud-config.
 */
export function seedFiles(spec: Thing<'seed'>['spec']): Record<'meta-data' | 'user-data', string> {
  const lines = [`instance-id: ${JSON.stringify(spec.instanceId)}`, `local-hostname: ${JSON.stringify(spec.hostname)}`];
  if (spec.sshKeys.length > 0) lines.push('public-keys:', ...spec.sshKeys.map((key) => `  - ${JSON.stringify(key)}`));
  return { 'meta-data': `${lines.join('\n')}\n`, 'user-data': spec.userData ?? '#cloud-config\n{}\n' };
}
