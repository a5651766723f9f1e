/** Tables on a terminal. */

const GAP = '   ';

/**
 * Lines of a table, columns padded to their widest cell; the last column is not padded. `widths`: of a table that goes on; kept up to
 * date.
 */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly unknown[])[],
  widths: number[] = [],
): string {
  const text = [
    header.map((name) => name.toUpperCase()),
    ...rows.map((row) => row.map((cell) => printable(String(cell)))),
  ];
  for (const row of text) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return text
    .map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join(GAP))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Text that others wrote, without what would move a terminal's cursor or begin a new line. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
