import type { User } from '@plumb/schemas/sources/users.ts';
import type { Run } from './command.ts';

/** More than any of our programs needs of a stranger's file; one that needs more was made to. */
const MEMORY_BYTES = 1024 ** 3;
const PROCESSOR_SECONDS = 60;

/**
 * Runs programs on what strangers made: as `user`, who may do nothing, with bounded memory and time, and without the
 * environment of this process. Without `user` as whom this process is, which then is not root. `files`: whether they may write
 * the files that they are handed.
 */
export function unprivileged(
  run: Run,
  user: Pick<User, 'uid' | 'gid'> | undefined,
  files: 'reads' | 'writes' = 'reads',
): Run {
  const limits = [
    '--core=0',
    ...(files === 'reads' ? ['--fsize=0'] : []),
    `--as=${MEMORY_BYTES}`,
    `--cpu=${PROCESSOR_SECONDS}`,
  ];
  const whom = user
    ? ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups', '--bounding-set=-all']
    : [];
  const rights = [...whom, '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs'];
  return (program, args, options) =>
    run('prlimit', [...limits, '--', 'setpriv', ...rights, '--', program, ...args], {
      ...options,
      env: { PATH: process.env.PATH },
    });
}
