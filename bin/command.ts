/** `plumb` as a client of the API: everything but the server and the agent. */
import { commandFirst, goesOnUnread, runCli } from '@plumb/cli/main.ts';
import { onOutputEnd } from '@plumb/cli/output-end.ts';
import { PlumbError } from '@plumb/schemas/meta/error.ts';

const argv = process.argv.slice(2);
const [word] = commandFirst(argv);
onOutputEnd({
  out: process.stdout,
  err: process.stderr,
  goesOn: () => goesOnUnread(word),
  exit: (code) => process.exit(code),
});
process.exitCode = await runCli(argv).catch((thrown) => {
  const error = PlumbError.from(thrown, 'plumb');
  process.stderr.write(`plumb: ${error.message.replace(/^plumb: /, '')}\n`);
  return 1;
});
