/**
 * The source without the guard: a marker behind code takes its line away, a marker on a line of its own the statement
 * that follows it.
 */
export function withoutGuard(text: string, name: string): string {
  const marker = `// guard: ${name}`;
  const kept: string[] = [];
  let taking = false;
  for (const line of text.split('\n')) {
    if (line.trim() === marker) {
      taking = true;
      continue;
    }
    if (taking) {
      taking = !line.trimEnd().endsWith(';');
      continue;
    }
    if (!line.endsWith(marker)) kept.push(line);
  }
  return kept.join('\n');
}

/** The test file in which every other top-level test is skipped. */
export function onlyTest(text: string, name: string): string {
  return text.replaceAll(/^test\('([^']+)'/gm, (call, other) =>
    other === name ? call : call.replace('test', 'test.skip'),
  );
}
