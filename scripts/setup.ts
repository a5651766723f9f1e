/**
 * Sets the machine up, as far as it is not yet: programs for real guests, the guest image, Terraform and the provider.
 * Idempotent; a second or two when everything is there. What it keeps is in `.cache/` and `dist/`.
 *
 *   node scripts/setup.ts [--simulated]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.ts';
import { type GuestImage, guestImage } from './guest-image.ts';
import { prepareMachine } from './machine.ts';
import { StepFailed, Steps } from './steps.ts';
import { findTerraform, type Terraform } from './terraform.ts';

export const ROOT = join(import.meta.dirname, '..');
export const CACHE = join(ROOT, '.cache');
/** The Node that npm put there; scripts run on it whatever the machine has. */
export const NODE = join(ROOT, 'node_modules/.bin/node');

export interface Setup {
  /** Present when real guests can run here. */
  image: GuestImage | undefined;
  /** Why real guests cannot run here, in one line; undefined when they can, or nobody asked. */
  missing: string | undefined;
  /** Whether the provider's native shim was built, which needs Go. */
  shim: boolean;
  /** Present when it was asked for. */
  terraform: Terraform | undefined;
}

/** Without `guests`, what only real guests need is left out; without `terraform`, that. Throws {@link StepFailed}. */
export async function setUp(steps: Steps, options: { guests: boolean; terraform: boolean }): Promise<Setup> {
  const setup: Setup = { image: undefined, missing: undefined, shim: false, terraform: undefined };
  if (options.guests) {
    const machine = await steps.run(
      'This machine',
      'run "apt-get update", and the installation that failed, by hand; or go on without: npm start -- --simulated',
      async (step) => {
        const found = await prepareMachine((line) => step.line(line));
        step.note(found.guests ? found.note : 'simulated hosts');
        return found;
      },
    );
    if (machine.guests) setup.image = await prepareImage(steps);
    else {
      setup.missing = machine.reason;
      steps.say(`  Hosts are simulated: ${machine.reason}`);
    }
  }
  setup.shim = await prepareProvider(steps);
  if (options.terraform) setup.terraform = await prepareTerraform(steps);
  return setup;
}

function prepareImage(steps: Steps): Promise<GuestImage> {
  return steps.run(
    'Guest image',
    'remove .cache/guest and try again; it needs a Debian mirror for the kernel package',
    async (step) => {
      const image = await guestImage(join(CACHE, 'guest'));
      step.note(image.built ? 'built from Debian’s cloud kernel and busybox' : 'there already');
      return image;
    },
  );
}

function prepareTerraform(steps: Steps): Promise<Terraform> {
  return steps.run('Terraform', 'install terraform or tofu, or Go, with which OpenTofu is built', async (step) => {
    const terraform = await findTerraform((line) => step.line(line));
    step.note(terraform.description);
    return terraform;
  });
}

function prepareProvider(steps: Steps): Promise<boolean> {
  return steps.run('Terraform provider', 'run "npm run build" by hand', async (step) => {
    const { mirror, lines } = await build();
    step.note(
      lines.every((line) => line.endsWith('unchanged')) ? 'unchanged' : lines.join('; ').replaceAll(`${ROOT}/`, ''),
    );
    return mirror !== undefined;
  });
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { simulated: { type: 'boolean', default: false } } });
  try {
    const { image } = await setUp(new Steps(), { guests: !values.simulated, terraform: true });
    if (image) console.log(`  Image for manifests: url file://${image.path}, sha256 ${image.sha256}`);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    process.exitCode = 1;
  }
}
