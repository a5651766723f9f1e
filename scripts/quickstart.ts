/**
 * The quickstart, applied by real Terraform in a folder of its own: a copy of examples/terraform/quickstart that a person
 * may edit, the values it needs, and a configuration by which Terraform finds the provider that was built here.
 */
import { access, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCliConfig } from './build-mirror.ts';
import { type RunResult, run } from './run.ts';
import { ROOT } from './setup.ts';

const EXAMPLE = join(ROOT, 'examples/terraform/quickstart');

export interface QuickstartOptions {
  /** Where the copy lies; made when it is not there, and left as it is when it is. */
  folder: string;
  /** Path of terraform or tofu. */
  terraform: string;
  kubeconfig: string;
  image: { path: string; sha256: string; format: 'qcow2' | 'raw' };
  /** Name of the host. */
  host: string;
  /** Asks Terraform to end early. */
  signal?: AbortSignal;
  /** Where the provider's process has its socket; the user's own place for such, if absent. */
  runtimeDir?: string | undefined;
  /** How Terraform reaches a provider that runs already; absent: it starts the one in dist/mirror. */
  reattach?: string | undefined;
}

/** Runs Terraform. Every method rejects with RunFailed, whose message has the end of what Terraform said. */
export class Quickstart {
  readonly folder: string;
  /** Path of terraform or tofu. */
  readonly terraform: string;
  /** Variables of the environment that Terraform runs with, besides those of this process. */
  readonly env: Record<string, string>;
  readonly #options: QuickstartOptions;

  constructor(options: QuickstartOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.terraform = options.terraform;
    this.env = {
      KUBECONFIG: options.kubeconfig,
      TF_CLI_CONFIG_FILE: join(options.folder, 'terraform.rc'),
      TF_IN_AUTOMATION: '1',
      CHECKPOINT_DISABLE: '1',
      ...(options.runtimeDir ? { XDG_RUNTIME_DIR: options.runtimeDir } : {}),
      ...(options.reattach ? { TF_REATTACH_PROVIDERS: options.reattach } : {}),
    };
  }

  /** Writes what is missing in the folder, and always the values, which belong to this machine. */
  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const ours = await access(join(this.folder, 'main.tf')).then(
      () => true,
      () => false,
    );
    if (!ours) {
      const wanted = (path: string) => !/\.terraform|tfstate/.test(path);
      await cp(EXAMPLE, this.folder, { recursive: true, filter: wanted });
    }
    const { image, host } = this.#options;
    const values = { image_url: `file://${image.path}`, image_sha256: image.sha256, image_format: image.format, host };
    const lines = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
    await writeFile(join(this.folder, 'terraform.tfvars'), lines.join(''));
    writeCliConfig(join(this.folder, 'terraform.rc'));
  }

  /** Anew each time: a provider that was built again under the same version does not match an old lock file. */
  async init(onLine?: (line: string) => void): Promise<void> {
    await rm(join(this.folder, '.terraform.lock.hcl'), { force: true });
    await this.run(['init', '-input=false', '-no-color'], { onLine });
  }

  async apply(onLine?: (line: string) => void, args: readonly string[] = []): Promise<RunResult> {
    return this.run(['apply', '-input=false', '-auto-approve', '-no-color', ...args], { onLine });
  }

  async destroy(onLine?: (line: string) => void, args: readonly string[] = []): Promise<RunResult> {
    return this.run(['destroy', '-input=false', '-auto-approve', '-no-color', ...args], { onLine });
  }

  /** What a second plan would change: undefined when nothing, else what Terraform says. */
  async changes(args: readonly string[] = []): Promise<string | undefined> {
    const plan = ['plan', '-input=false', '-no-color', '-detailed-exitcode', ...args];
    const result = await this.run(plan, { accept: [0, 2] });
    return result.code === 2 ? result.stdout : undefined;
  }

  run(
    args: readonly string[],
    options: { onLine?: ((line: string) => void) | undefined; accept?: readonly number[] } = {},
  ): Promise<RunResult> {
    const { signal } = this.#options;
    return run(this.terraform, args, { ...options, cwd: this.folder, env: this.env, signal });
  }
}
