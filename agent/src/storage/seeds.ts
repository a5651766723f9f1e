import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type HostResource, type LiveResource, terminal } from '@plumb/schemas';
import { rememberedSeed } from '@plumb/schemas/resources/seed.ts';
import type { Run } from '../host/command.ts';
import { lookedAt } from '../host/looked-at.ts';
import { isPlain } from '../host/plain-file.ts';
import type { QemuUser } from '../host/qemu-user.ts';
import { letQemuRead } from '../host/qemu-user.ts';
import { flush, nothingThere, Records, requireSafeId } from '../host/records.ts';
import { tellFullDisk } from '../host/space.ts';
import { seedFiles } from './no-cloud.ts';

const SUFFIX = '.iso';

/** NoCloud seeds: `seeds/<id>.iso` under the data folder. They may hold secrets: readable by root and QEMU only. */
export class Seeds {
  readonly #dir: string;
  readonly #run: Run;
  readonly #user: QemuUser;
  readonly #records: Records<'seed'>;

  constructor(dataDir: string, run: Run, user: QemuUser) {
    this.#dir = join(dataDir, 'seeds');
    this.#run = run;
    this.#user = user;
    this.#records = new Records(dataDir, 'seed');
  }

  /** Reads the records, and removes what an earlier process left half made. */
  async open(): Promise<void> {
    await this.#records.open();
    await mkdir(this.#dir, { recursive: true, mode: 0o711 });
    for (const name of await readdir(this.#dir))
      if (name.startsWith('making-')) await rm(join(this.#dir, name), { recursive: true, force: true });
  }

  async observe(): Promise<LiveResource<'seed'>[]> {
    const recorded = this.#records.list();
    const known = new Set(recorded.map(({ id }) => id));
    const files = (await readdir(this.#dir).catch(nothingThere<string[]>([]))).filter((name) => name.endsWith(SUFFIX));
    const unrecorded = files.map((name) => name.slice(0, -SUFFIX.length)).filter((id) => !known.has(id));
    return [
      ...(await Promise.all(recorded.map((resource) => lookedAt(resource, this.#look(resource))))),
      ...unrecorded.map(withoutRecord),
    ];
  }

  /** Paths of records that say nothing of ours. */
  get unreadable(): string[] {
    return this.#records.unreadable;
  }

  async ensure(resource: HostResource<'seed'>): Promise<LiveResource<'seed'>> {
    requireSafeId(resource.id);
    const before = this.#records.get(resource.id);
    const live = before && (await this.#look(before));
    const kept = rememberedSeed(resource);
    if (!isDeepStrictEqual(before?.spec, kept.spec) || live?.drift.length !== 0) await this.#make(resource);
    await this.#records.put(kept);
    return this.#look(kept);
  }

  async remove(id: string): Promise<void> {
    requireSafeId(id);
    await rm(this.path(id), { force: true });
    await this.#records.delete(id);
  }

  /** Lets QEMU read it, as it may not one that was made when QEMU ran as root. Before a start of its domain. */
  async handOver(id: string): Promise<void> {
    requireSafeId(id);
    await letQemuRead(this.path(id), this.#user).catch(nothingThere(undefined));
  }

  path(id: string): string {
    return join(this.#dir, `${id}${SUFFIX}`);
  }

  async #make(resource: HostResource<'seed'>): Promise<void> {
    const { userData, userDataFrom } = resource.spec;
    if (userDataFrom !== undefined && userData === undefined)
      throw terminal('InvalidResource', `the text of seed ${resource.id} was not given: it is in a Secret`);
    const work = await mkdtemp(join(this.#dir, 'making-'));
    try {
      const files = join(work, 'files');
      await mkdir(files);
      for (const [name, text] of Object.entries(seedFiles(resource.spec)))
        await writeFile(join(files, name), text, { mode: 0o600 });
      const iso = join(work, 'seed.iso');
      // Names in lower case need Rock Ridge or Joliet; the label is how guests find it.
      await this.#run('genisoimage', [
        '-quiet',
        '-output',
        iso,
        '-volid',
        'cidata',
        '-joliet',
        '-rational-rock',
        files,
      ]);
      await letQemuRead(iso, this.#user);
      await flush(iso);
      await rename(iso, this.path(resource.id));
      await flush(this.#dir);
    } catch (thrown) {
      tellFullDisk(this.path(resource.id))(thrown);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  async #look(resource: HostResource<'seed'>): Promise<LiveResource<'seed'>> {
    const there = await isPlain(this.path(resource.id));
    return { ...resource, drift: there ? [] : ['its file is missing'] };
  }
}

/** A crash can come between a seed and its record: its name alone tells whose it is. */
function withoutRecord(id: string): LiveResource<'seed'> {
  const spec = { instanceId: '', hostname: '', sshKeys: [] };
  return { kind: 'seed', id, owner: id.split('.')[0]!, spec, drift: ['its declaration is not on this host'] };
}
