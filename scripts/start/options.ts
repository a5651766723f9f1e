/** What `npm start` was asked to do. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../setup.ts';

export const USAGE = `npm start [-- OPTIONS]

Sets up what is missing, starts the control plane and an agent on this machine, lets Terraform apply the quickstart,
shows what runs, and stays until Ctrl-C. Guests go on when it ends; the next start picks them up.

  --once            verify (guests answer, a second plan is empty), destroy, check that nothing is left; exit 0 or 1
  --destroy         remove everything that a start in this folder made, and the folder
  --simulated       hosts in memory instead of real guests
  --data-dir DIR    where everything is kept; .plumb, and with --once a fresh folder in it, if not given
  --port PORT       of the control plane on loopback; 7443, if not given
`;

export interface StartOptions {
  mode: 'stay' | 'once' | 'destroy';
  simulated: boolean;
  dataDir: string;
  /** Whether the folder was made for this run alone, and goes with it. */
  ownFolder: boolean;
  port: number;
}

/** Undefined when help was asked for. Throws an Error for the person who typed. */
export function parseOptions(argv: readonly string[]): StartOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      once: { type: 'boolean', default: false },
      destroy: { type: 'boolean', default: false },
      simulated: { type: 'boolean', default: false },
      'data-dir': { type: 'string' },
      port: { type: 'string', default: '7443' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new Error(`--port must be a number from 1 to 65535, not ${values.port}`);
  if (values.once && values.destroy)
    throw new Error('--once and --destroy exclude each other: --once destroys by itself');
  const given = values['data-dir'];
  const ownFolder = values.once && given === undefined;
  return {
    mode: values.once ? 'once' : values.destroy ? 'destroy' : 'stay',
    simulated: values.simulated,
    dataDir: given === undefined ? join(ROOT, ownFolder ? '.plumb/once' : '.plumb') : resolve(given),
    ownFolder,
    port,
  };
}
