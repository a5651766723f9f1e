/** One scrape: values by series (`name{label="value"}`), and by name with the labels summed away. */
export type Scrape = ReadonlyMap<string, number>;

/** Reads the Prometheus text format, version 0.0.4. */
export function parseScrape(text: string): Scrape {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const found = /^([a-zA-Z_:][\w:]*)(\{.*\})? ([^ ]+)/.exec(line);
    if (!found) throw new Error(`not a line of the Prometheus text format: ${line}`);
    const [, name = '', labels, value] = found;
    if (labels) values.set(name + labels, Number(value));
    values.set(name, (values.get(name) ?? 0) + Number(value));
  }
  return values;
}

/** How much the series grew; undefined when the server does not have it. */
export function growth(before: Scrape, after: Scrape, name: string): number | undefined {
  const now = after.get(name);
  return now === undefined ? undefined : now - (before.get(name) ?? 0);
}
