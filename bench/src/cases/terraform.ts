import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findTerraform } from '../../../scripts/terraform.ts';
import type { Case, Sample } from '../case.ts';
import { startPlumb } from '../processes/plumb.ts';
import { layProviders } from '../terraform/packages.ts';
import { BenchWorkspace, type Command } from '../terraform/workspace.ts';

const COMMANDS: readonly Command[] = ['plan', 'apply', 'again', 'destroy'];
const PER_HOST = 10;

export const terraform: Case = {
  name: 'terraform',
  title: 'Terraform, beside its builtin provider',
  about: [
    'Real Terraform plans, applies, plans again without changes, and destroys N instances on simulated hosts, with the released',
    'provider as Terraform installs it: one binary from a mirror, under a lock file, hashed with every command, its process warm.',
    'The floor is N `terraform_data` of the provider that is built into Terraform, in turns in the same run. Beside them N resources',
    'of a provider that does nothing, in the same binary and frame as ours.',
  ].join('\n'),
  axis: 'resources',
  sizes: [1, 5, 100, 1000],
  repetitions: 5,
  figures: [
    { name: 'plan', title: 'plan', unit: 'ms' },
    { name: 'apply', title: 'apply', unit: 'ms' },
    { name: 'again', title: 'plan without changes', unit: 'ms' },
    { name: 'destroy', title: 'destroy', unit: 'ms' },
    { name: 'emptyPlan', title: 'plan with the empty provider', unit: 'ms' },
    { name: 'emptyApply', title: 'apply with the empty provider', unit: 'ms' },
    { name: 'emptyAgain', title: 'plan without changes with the empty provider', unit: 'ms' },
    { name: 'emptyDestroy', title: 'destroy with the empty provider', unit: 'ms' },
    { name: 'planToEmpty', title: 'plan, of that with the empty provider', unit: '%' },
    { name: 'againToEmpty', title: 'plan without changes, of that with the empty provider', unit: '%' },
  ],
  goals: [
    ...COMMANDS.map((figure) => ({ figure, atMost: 2, times: 'floor', sizes: [1, 5] }) as const),
    ...(['apply', 'destroy'] as const).map(
      (figure) => ({ figure, atMost: 1.2, times: 'floor', sizes: [1000] }) as const,
    ),
    ...(['plan', 'again'] as const).map((figure) => ({ figure, atMost: 1.5, times: 'floor', sizes: [1000] }) as const),
    ...(['planToEmpty', 'againToEmpty'] as const).map((figure) => ({ figure, atMost: 120, sizes: [1000] })),
  ],
  picture: { also: ['apply', 'again', 'destroy'] },
  async open(size, { folder }) {
    const { path } = await findTerraform();
    await using started = new AsyncDisposableStack();
    const plumb = await startPlumb({ folder, hosts: Math.max(2, size / PER_HOST), connections: 1 });
    started.defer(() => plumb.close());
    const config = join(folder, 'terraform.rc');
    writeFileSync(config, await layProviders(join(folder, 'mirror')));
    const runtime = join(folder, 'runtime');
    mkdirSync(runtime, { mode: 0o700 });
    started.defer(() => endProviders(runtime));
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      XDG_RUNTIME_DIR: runtime,
      XDG_CACHE_HOME: join(folder, 'cache'),
      KUBECONFIG: join(plumb.server.dataDir, 'kubeconfig'),
      CHECKPOINT_DISABLE: '1',
      TF_CLI_CONFIG_FILE: config,
    };
    const open = (name: string, hcl: string) => BenchWorkspace.open(join(folder, name), path, hcl, env);
    const ours = await open('ours', instances(size));
    const builtin = await open('builtin', data(size));
    const empty = await open('empty', nothings(size));
    const running = started.move();
    return {
      async run(): Promise<Sample> {
        const [own, of] = [await times(ours), await times(empty)];
        const empties = COMMANDS.map((name) => [`empty${name[0]!.toUpperCase()}${name.slice(1)}`, of[name]] as const);
        const ratio = (name: Command) => (100 * own[name]) / of[name];
        return {
          figures: {
            ...own,
            ...Object.fromEntries(empties),
            planToEmpty: ratio('plan'),
            againToEmpty: ratio('again'),
          },
        };
      },
      floor: () => times(builtin),
      close: () => running.disposeAsync(),
    };
  },
};

async function times(workspace: BenchWorkspace): Promise<Record<Command, number>> {
  const took: Partial<Record<Command, number>> = {};
  for (const command of COMMANDS) took[command] = await workspace.time(command);
  return took as Record<Command, number>;
}

function requires(name: string): string {
  return `terraform {\n  required_providers {\n    ${name} = {\n      source = "plumb/${name}"\n    }\n  }\n}\n`;
}

function instances(count: number): string {
  return `${requires('plumb')}resource "plumb_instance" "one" {
  count      = ${count}
  name       = "one-\${count.index}"
  zone       = "bench"
  offering   = "small"
  image      = "tiny"
  interfaces = [{ name = "eth0", l3_network = "lab" }]
}
`;
}

function nothings(count: number): string {
  return `${requires('nothing')}resource "plumb_nothing" "one" {
  provider = nothing
  count    = ${count}
  name     = "one-\${count.index}"
}
`;
}

/** As much of a configuration as an instance has. */
function data(count: number): string {
  return `resource "terraform_data" "one" {
  count = ${count}
  input = {
    name       = "one-\${count.index}"
    zone       = "bench"
    offering   = "small"
    image      = "tiny"
    interfaces = [{ name = "eth0", l3_network = "lab" }]
  }
}
`;
}

/** They would wait a minute for another run. The shim leaves their numbers beside their sockets. */
function endProviders(runtime: string): void {
  const sockets = join(runtime, 'plumb-provider');
  for (const name of readdirSync(sockets).filter((one) => one.endsWith('.pid')))
    process.kill(Number(readFileSync(join(sockets, name), 'utf8')));
}
