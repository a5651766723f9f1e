import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';

/**
 * What the server counts, as Prometheus reads it (text format 0.0.4). One registry per server, made in main.
 *
 * Two ways to count: {@link Metrics.counter} and {@link Metrics.histogram} for what happens in one place, and
 * {@link Metrics.readCounter}, {@link Metrics.readGauge} for numbers that someone else keeps and that are read only
 * when a scrape asks. Names: `plumb_<what>_<unit>`, counters end in `_total`.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #readers = new Map<string, Reader[]>();

  /** Media type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything that was counted, as text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Counts up. Ask once per name. */
  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  /** Distribution of a quantity. Ask once per name. `buckets`: upper bounds, rising, in the unit of the name. */
  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly L[] = [],
  ): Histogram<L> {
    return new Histogram({
      name,
      help,
      buckets: [...buckets],
      labelNames: [...labelNames],
      registers: [this.#registry],
    });
  }

  /** A total that someone else keeps. Several readers may share a name when their labels differ. */
  readCounter(name: string, help: string, labels: Record<string, string>, value: () => number): void {
    this.#read(name, labels, value, (readers) => {
      new Counter({
        name,
        help,
        labelNames: Object.keys(labels),
        registers: [this.#registry],
        collect() {
          this.reset();
          for (const reader of readers) this.inc(reader.labels, reader.value());
        },
      });
    });
  }

  /** A level that someone else keeps. Several readers may share a name when their labels differ. */
  readGauge(name: string, help: string, labels: Record<string, string>, value: () => number): void {
    this.#read(name, labels, value, (readers) => {
      new Gauge({
        name,
        help,
        labelNames: Object.keys(labels),
        registers: [this.#registry],
        collect() {
          this.reset();
          for (const reader of readers) this.set(reader.labels, reader.value());
        },
      });
    });
  }

  #read(name: string, labels: Record<string, string>, value: () => number, make: (readers: Reader[]) => void): void {
    let readers = this.#readers.get(name);
    if (!readers) {
      readers = [];
      this.#readers.set(name, readers);
      make(readers);
    }
    readers.push({ labels, value });
  }
}

interface Reader {
  labels: Record<string, string>;
  value: () => number;
}

/** Upper bounds in seconds, from a memory lookup to a stalled disk. */
export const SECONDS_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** The process's own memory and processor use, under the names that every Prometheus client uses. Read on scrape. */
export function readProcess(metrics: Metrics): void {
  metrics.readGauge('process_resident_memory_bytes', 'Resident memory.', {}, () => process.memoryUsage.rss());
  metrics.readCounter('process_cpu_seconds_total', 'Processor time, user and system.', {}, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
}
