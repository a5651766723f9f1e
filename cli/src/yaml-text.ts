import { stringify } from 'yaml';

/** YAML that readers of version 1.1 see as we do. */
export function yamlText(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0 });
}
