/** The record of what is handed out on a host: each amount by its name. */
import { type Amounts, amounts } from '../plan/claims.ts';
import { parsedRecord } from '../store/parsed.ts';

interface Read {
  use: number[];
  /** What it says of amounts that are not known here; undefined when it says nothing of any. */
  others: Record<string, unknown> | undefined;
}

/** Undefined when it cannot be read. */
export function readUse(value: string): Read | undefined {
  const record = parsedRecord<Record<string, unknown>>({ type: 'object' }, value);
  if (!record) return undefined;
  const use: number[] = [];
  for (const { name, always } of amounts.all) {
    const amount = record[name] ?? (always ? undefined : 0);
    if (typeof amount !== 'number' || !Number.isSafeInteger(amount) || amount < 0) return undefined;
    use.push(amount);
    delete record[name];
  }
  return { use, others: Object.keys(record).length > 0 ? record : undefined };
}

export function writeUse(use: Amounts, others: Readonly<Record<string, unknown>> | undefined): string {
  const record: Record<string, unknown> = {};
  for (const [n, { name, always }] of amounts.all.entries()) if (always || use[n]) record[name] = use[n] ?? 0;
  return JSON.stringify(others ? { ...record, ...others } : record);
}
