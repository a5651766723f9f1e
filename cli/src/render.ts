/** Objects as YAML or JSON. */

export async function render(value: unknown, form: 'yaml' | 'json'): Promise<string> {
  if (form === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  const { stringify } = await import('yaml');
  // Readers of YAML 1.1 must see the same text as we do.
  return stringify(value, { version: '1.1', lineWidth: 0 });
}
