/**
 * A tiny real guest, made from Debian's cloud kernel and busybox: it boots in seconds in 128 MiB, takes its name from
 * the NoCloud seed and its addresses from DHCP, greets on TCP port 7, and powers off when it is asked to.
 *
 *   node scripts/guest-image.ts      prints its path and sha256
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debPackage, unpackDeb } from './debian.ts';
import { bootableDisk } from './guest/disk.ts';
import { initramfs } from './guest/initramfs.ts';

export interface GuestImage {
  path: string;
  /** Of the file, 64 lower case hex digits. */
  sha256: string;
  /** False when it was there already. */
  built: boolean;
}

const SCRIPTS = join(import.meta.dirname, 'guest');

/** The image, from `cache`, or built there: under ten seconds when Debian's packages are there, else after fetching them. */
export async function guestImage(cache: string): Promise<GuestImage> {
  await mkdir(cache, { recursive: true });
  const kernelDeb = await debPackage('linux-image-cloud-amd64', cache, { dependency: /^linux-image-.*-cloud-amd64$/ });
  const busyboxDeb = await debPackage('busybox-static', cache);
  const path = join(cache, `${await inputsHash([kernelDeb, busyboxDeb])}.qcow2`);
  const known = await readFile(`${path}.sha256`, 'utf8').catch(() => undefined);
  if (known) return { path, sha256: known.trim(), built: false };

  const work = await mkdtemp(join(cache, 'building-'));
  try {
    const kernel = await unpackDeb(kernelDeb, join(work, 'kernel'));
    const busybox = join(await unpackDeb(busyboxDeb, join(work, 'busybox')), 'bin/busybox');
    const vmlinuz = (await readdir(join(kernel, 'boot'))).find((name) => name.startsWith('vmlinuz-'));
    if (!vmlinuz) throw new Error(`${kernelDeb} holds no kernel: remove it, so that it is fetched again`);
    const archive = await initramfs(SCRIPTS, kernel, busybox);
    const finished = join(work, 'guest.qcow2');
    await bootableDisk(work, { kernel: join(kernel, 'boot', vmlinuz), initramfs: archive }, finished);
    const sha256 = createHash('sha256')
      .update(await readFile(finished))
      .digest('hex');
    await rename(finished, path);
    await writeFile(`${path}.sha256`, `${sha256}\n`);
    return { path, sha256, built: true };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Of everything that the image is made from: the packages by name and version, and the recipe by its text. */
async function inputsHash(debs: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const deb of debs) hash.update(deb.slice(deb.lastIndexOf('/') + 1));
  const recipe = (await readdir(SCRIPTS))
    .filter((name) => !name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(SCRIPTS, name));
  for (const file of recipe) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

if (import.meta.main) {
  const image = await guestImage(join(import.meta.dirname, '../.cache/guest'));
  console.log(`${image.path}\n${image.sha256}`);
}
