/** In which form objects are shown. */
import type { Body } from '@plumb/client/client.ts';

/** Asks the server for the table of a kind (KEP-1164). */
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

export const FORMS = ['table', 'wide', 'yaml', 'json', 'name'] as const;
export type Form = (typeof FORMS)[number];

export function isTabular(form: Form): boolean {
  return form === 'table' || form === 'wide';
}

/** What of a table of the server is shown. `prefix`: stands before each name. */
export function rowsOf(
  table: Body,
  form: Form,
  withNamespace: boolean,
  prefix = '',
): { header: string[]; rows: unknown[][] } {
  const columns: { name: string; priority: number }[] = table.columnDefinitions;
  const shown = columns.flatMap(({ priority }, index) => (priority === 0 || form === 'wide' ? [index] : []));
  const header = shown.map((index) => columns[index]!.name);
  const rows = table.rows.map((row: Body) => {
    const cells = shown.map((index) => (index === 0 ? `${prefix}${row.cells[0]}` : row.cells[index]));
    return withNamespace ? [row.object.metadata.namespace, ...cells] : cells;
  });
  return { header: withNamespace ? ['Namespace', ...header] : header, rows };
}
