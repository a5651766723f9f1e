/** The guest's whole system: busybox, the modules it needs and four scripts, as a compressed archive in memory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ArchiveEntry, CHARACTER_DEVICE, cpio, FILE, FOLDER, PROGRAM } from './cpio.ts';
import { kernelModules } from './modules.ts';

const MODULES = [
  ...['virtio_pci', 'virtio_net', 'virtio_blk'],
  ...['virtio_scsi', 'sr_mod', 'isofs'], // the seed, as a virtio disk or as a SCSI CD-ROM
  ...['fat', 'vfat', 'nls_cp437', 'nls_ascii', 'nls_utf8', 'nls_iso8859_1'], // the disk itself
  ...['evdev', 'button'], // the power button
  'pvpanic_mmio', // by it the kernel says that it gave up
];

/** `scripts`: folder of init.sh and its companions. `kernel`: root of the unpacked kernel package. */
export async function initramfs(scripts: string, kernel: string, busybox: string): Promise<Buffer> {
  const modules = await kernelModules(join(kernel, 'lib/modules'), MODULES);
  const script = async (path: string, name: string): Promise<ArchiveEntry> => ({
    path,
    mode: PROGRAM,
    content: await readFile(join(scripts, name)),
  });
  const folder = (path: string): ArchiveEntry => ({ path, mode: FOLDER });
  return gzipSync(
    cpio([
      ...['bin', 'dev', 'etc', 'etc/acpi', 'etc/acpi/PWRF', 'mnt', 'modules', 'proc', 'run', 'sys', 'tmp'].map(folder),
      { path: 'dev/console', mode: CHARACTER_DEVICE, device: [5, 1] },
      { path: 'bin/busybox', mode: PROGRAM, content: await readFile(busybox) },
      await script('init', 'init.sh'),
      await script('etc/dhcp.sh', 'dhcp.sh'),
      await script('etc/greet.sh', 'greet.sh'),
      await script('etc/acpi/PWRF/00000080', 'poweroff.sh'),
      { path: 'modules/order', mode: FILE, content: Buffer.from(modules.map(({ name }) => `${name}.ko\n`).join('')) },
      ...modules.map(({ name, content }) => ({ path: `modules/${name}.ko`, mode: FILE, content })),
    ]),
    { level: 9 },
  );
}
