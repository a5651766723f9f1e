/** Puts kernel and archive on a disk that boots by itself, without mounting anything: mtools and syslinux. */
import { copyFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../run.ts';

const DISK_MIB = 32;

/** Quiet, on the serial console, and restarting by itself should the kernel panic. */
const KERNEL_ARGUMENTS = 'console=ttyS0 quiet panic=1 net.ifnames=0 mitigations=off random.trust_cpu=on';

/** Makes `qcow2` from the parts, working in `folder`. Equal parts give equal bytes, whatever the time and machine. */
export async function bootableDisk(
  folder: string,
  parts: { kernel: string; initramfs: Buffer },
  qcow2: string,
): Promise<void> {
  const raw = join(folder, 'disk.raw');
  const env = { SOURCE_DATE_EPOCH: '946684800', TZ: 'UTC', MTOOLS_SKIP_CHECK: '1', MTOOLSRC: '/dev/null' };
  await writeFile(raw, '');
  await truncate(raw, DISK_MIB * 1024 * 1024);
  const files = {
    vmlinuz: undefined,
    'initrd.gz': parts.initramfs,
    'plumb.txt': 'A small guest that proves what Plumb does: scripts/guest-image.ts of its repository made it.\n',
    'syslinux.cfg': `DEFAULT guest\nLABEL guest\n  KERNEL vmlinuz\n  INITRD initrd.gz\n  APPEND ${KERNEL_ARGUMENTS}\n`,
  };
  await copyFile(parts.kernel, join(folder, 'vmlinuz'));
  for (const [name, content] of Object.entries(files)) if (content) await writeFile(join(folder, name), content);
  await run('mformat', ['-i', raw, '-v', 'PLUMB', '-N', '504c554d', '-h', '64', '-s', '32', '-t', '32', '::'], { env });
  const sources = Object.keys(files).map((name) => join(folder, name));
  await run('mcopy', ['-i', raw, ...sources, '::'], { env });
  await run('syslinux', ['--install', raw], { env });
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2]);
}
