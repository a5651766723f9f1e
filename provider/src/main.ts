/** The provider's process. Terraform starts the shim in go-shim/, and the shim starts this; or a person does, to reattach. */
import { parseArgs } from 'node:util';
import { serveReattach } from './reattach.ts';
import { serveWarm } from './warm.ts';

const { values } = parseArgs({
  options: {
    reattach: { type: 'boolean' },
    warm: { type: 'string' },
    'idle-seconds': { type: 'string', default: '60' },
    'remove-folder': { type: 'boolean', default: false },
    'while-stdin': { type: 'boolean', default: false },
  },
});

if (values.warm !== undefined) {
  serveWarm(values.warm, {
    idleMs: Number(values['idle-seconds']) * 1000,
    removeFolder: values['remove-folder'],
    ...(values['while-stdin'] ? { whileOpen: process.stdin } : {}),
  });
} else if (values.reattach) serveReattach();
else {
  process.stderr.write(
    'This is the Plumb provider for Terraform and OpenTofu. It is started by terraform-provider-plumb; to use it without\n' +
      'that, run it with --reattach and put the line that it prints into the environment of terraform.\n',
  );
  process.exit(1);
}
