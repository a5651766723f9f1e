/** Objects as YAML or JSON. */

export async function render(value: unknown, form: 'yaml' | 'json'): Promise<string> {
  if (form === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  // Most who start need no YAML.
  return (await import('./yaml-text.ts')).yamlText(value);
}
