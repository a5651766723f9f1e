import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteStore } from '@plumb/reconciler/store/sqlite.ts';
import { STORE_FILE } from '@plumb/reconciler/store/sqlite-file.ts';
import type { Entry } from '@plumb/reconciler/store/store.ts';
import type { Case } from '../case.ts';
import { bareTableBytes, bytesInUse } from '../floor/bare-table.ts';
import { Followed, isReady } from '../http/followed.ts';
import { INSTANCES, instance, startPlumb } from '../processes/plumb.ts';

const CLIENTS = 100;
const PER_HOST = 10;

export const rest: Case = {
  name: 'rest',
  title: 'What an instance keeps on the disk',
  about: [
    'N instances are made through the API, each with root disk, address and port, on 0.1 N hosts. When all are Running the server',
    'ends, and history is compacted as it is by itself after ten minutes. The case’s own figure is what the store’s file holds',
    'then (its pages that are in use), everything counted, for each instance. Keys and values are the UTF-8 bytes of all that is',
    'stored, as it stands in the file and as `bytes stored per create` counts them. The floor is the file of a bare SQLite table of',
    'the same keys and values in full.',
  ].join('\n'),
  axis: 'instances',
  sizes: [1_000, 10_000],
  repetitions: 3,
  figures: [
    { name: 'file', title: 'in the file, per instance', unit: 'bytes' },
    { name: 'stored', title: 'keys and values, per instance', unit: 'bytes' },
    { name: 'object', title: 'of these the instance itself', unit: 'bytes' },
  ],
  goals: [
    { figure: 'file', atMost: 1_600 },
    { figure: 'stored', atMost: 1_600 },
  ],
  async open(size, { folder, tree }) {
    /** The floor is measured first, and needs what is kept. */
    const kept = new Map<number, Promise<Kept>>();
    const of = (repetition: number) => {
      const made = kept.get(repetition) ?? keep(join(folder, `${repetition}`), size, tree);
      kept.set(repetition, made);
      return made;
    };
    return {
      async run(repetition) {
        const { file, stored, objects } = await of(repetition);
        return { figures: { file: file / size, stored: stored / size, object: objects / size } };
      },
      floor: async (repetition) => ({ file: bareTableBytes(folder, (await of(repetition)).entries) / size }),
      close: async () => {},
    };
  },
};

interface Kept {
  entries: readonly Entry[];
  /** Bytes of the store's file that are in use. */
  file: number;
  /** Of keys and values, as they stand there. */
  stored: number;
  /** Of these, those of instances. */
  objects: number;
}

async function keep(folder: string, size: number, tree: string | undefined): Promise<Kept> {
  mkdirSync(folder, { recursive: true });
  await fill(folder, size, tree);
  const store = join(folder, 'server', 'store');
  const entries = await compactedEntries(store);
  const db = new DatabaseSync(join(store, STORE_FILE));
  const bytes = db.prepare(
    'SELECT sum(length(CAST(e.key || v.value AS BLOB))) AS n FROM entries e JOIN versions v ON v.id = e.id WHERE e.live AND e.key LIKE ?',
  );
  const bytesOf = (prefix: string) => Number(bytes.get(`${prefix}%`)!.n);
  const kept = { file: bytesInUse(db), stored: bytesOf(''), objects: bytesOf('/objects/instances/') };
  db.close();
  rmSync(folder, { recursive: true });
  return { entries, ...kept };
}

/** Instances that all run in the end, on a server that has ended when this resolves. */
async function fill(folder: string, size: number, tree: string | undefined): Promise<void> {
  const plumb = await startPlumb({ folder, hosts: size / PER_HOST, connections: CLIENTS, tree });
  const running = new Set<string>();
  const followed = await Followed.open(plumb.client, INSTANCES, ({ object }) => {
    if (isReady(object)) running.add(object.metadata.name);
  });
  try {
    const all = followed.until(
      () => running.size === size,
      () => `${size - running.size} of ${size} instances are not Ready`,
    );
    const posts = Array.from({ length: size }, (_, i) =>
      plumb.client.expect(201, 'POST', INSTANCES, instance(`r-${i}`)),
    );
    await Promise.all([all, ...posts]);
  } finally {
    followed.close();
    await plumb.close();
  }
}

/** What a store holds, when nothing is left of its history. */
async function compactedEntries(folder: string): Promise<readonly Entry[]> {
  const store = SqliteStore.open(folder);
  try {
    await store.compact(store.revision());
    return (await store.list('/')).entries;
  } finally {
    await store.close();
  }
}
