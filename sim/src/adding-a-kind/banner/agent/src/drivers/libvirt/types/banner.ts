import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LiveResource } from '@plumb/schemas';
import { type HandlerOf, saysNothing } from '../handler.ts';

/** One file of JSON for each banner, with the resource in it. */
export const banner: HandlerOf<'banner'> = ({ dataDir }) => {
  const folder = join(dataDir, 'banners');
  const path = (id: string) => join(folder, `${id}.json`);
  return {
    async foundBy() {
      const names = await readdir(folder).catch(() => []);
      const texts = await Promise.all(
        names.filter((name) => name.endsWith('.json')).map((name) => readFile(join(folder, name), 'utf8')),
      );
      return texts.map((text): LiveResource<'banner'> => ({ ...JSON.parse(text), drift: [] }));
    },
    async ensure(resource) {
      await mkdir(folder, { recursive: true, mode: 0o755 });
      await writeFile(`${path(resource.id)}.new`, JSON.stringify(resource));
      await rename(`${path(resource.id)}.new`, path(resource.id));
      return { ...resource, drift: [] };
    },
    remove: (id) => saysNothing(rm(path(id), { force: true })),
  };
};
