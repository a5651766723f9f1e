/** A folder in which real Terraform runs against the provider in dist/mirror, and everything that it leaves behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { writeCliConfig } from '../../scripts/build-mirror.ts';
import { run } from '../../scripts/run.ts';

export interface Ran {
  code: number;
  /** stdout and stderr in one, with every line break and frame of Terraform's boxes as one space. */
  said: string;
}

const HEAD = `terraform {
  required_providers {
    plumb = {
      source = "plumb/plumb"
    }
  }
}
`;

export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), 'plumb-terraform-'));
  readonly #terraform: string;
  readonly #env: Record<string, string | undefined>;
  #initialised = false;

  /** `env` is added to what Terraform runs with; nothing of the person who runs the test reaches the provider. */
  constructor(terraform: string, env: Record<string, string>) {
    this.#terraform = terraform;
    writeCliConfig(join(this.folder, 'terraform.rc'));
    this.#env = {
      KUBECONFIG: undefined,
      PLUMB_ENDPOINT: undefined,
      PLUMB_TOKEN: undefined,
      PLUMB_CA_CERTIFICATE: undefined,
      TF_REATTACH_PROVIDERS: undefined,
      TF_LOG: undefined,
      TF_CLI_CONFIG_FILE: join(this.folder, 'terraform.rc'),
      CHECKPOINT_DISABLE: '1',
      XDG_RUNTIME_DIR: this.folder,
      ...env,
    };
  }

  /** Replaces the configuration. */
  declare(hcl: string): void {
    writeFileSync(join(this.folder, 'main.tf'), `${HEAD}${hcl}`);
  }

  /** Removes the configuration; the next run initialises anew. */
  clear(): void {
    rmSync(join(this.folder, 'main.tf'));
    this.#initialised = false;
  }

  /** What Terraform writes to stdout, as it is. */
  async output(args: string[]): Promise<string> {
    await this.run(['validate']);
    return (await run(this.#terraform, args, { cwd: this.folder, env: this.#env })).stdout;
  }

  async run(args: string[], env: Record<string, string> = {}, signal?: AbortSignal): Promise<Ran> {
    const options = { cwd: this.folder, env: { ...this.#env, ...env }, accept: [0, 1, 2], signal };
    if (!this.#initialised) await run(this.#terraform, ['init', '-no-color'], { ...options, accept: [0] });
    this.#initialised = true;
    const { code, stdout, stderr } = await run(this.#terraform, [...args, '-no-color'], options);
    return { code, said: `${stdout}\n${stderr}`.replace(/[\s│╷╵]+/g, ' ') };
  }

  apply(env: Record<string, string> = {}, signal?: AbortSignal): Promise<Ran> {
    return this.run(['apply', '-auto-approve', '-input=false'], env, signal);
  }

  /** 0: no changes, 2: changes, 1: an error. */
  plan(): Promise<Ran> {
    return this.run(['plan', '-detailed-exitcode', '-input=false']);
  }

  destroy(): Promise<Ran> {
    return this.run(['destroy', '-auto-approve', '-input=false']);
  }

  /** The attributes in the state by address, and whether the resource is tainted. */
  state(): Record<string, { tainted: boolean; attributes: Record<string, unknown> }> {
    const text = readFileSync(join(this.folder, 'terraform.tfstate'), 'utf8');
    const { resources } = JSON.parse(text) as { resources: StateResource[] };
    return Object.fromEntries(
      resources.flatMap(({ mode, type, name, instances }) =>
        instances.map(({ attributes, status }) => {
          const address = `${mode === 'data' ? 'data.' : ''}${type}.${name}`;
          return [address, { tainted: status === 'tainted', attributes }];
        }),
      ),
    );
  }

  /** Uids in the state, of all resources of a type by address. */
  uids(type: string): Record<string, string> {
    const text = readFileSync(join(this.folder, 'terraform.tfstate'), 'utf8');
    const { resources } = JSON.parse(text) as { resources: StateResource[] };
    const found = resources.filter((one) => one.type === type && one.mode === 'managed');
    return Object.fromEntries(
      found.flatMap(({ name, instances }) =>
        instances.map(({ index_key, attributes }) => [
          `${type}.${name}[${index_key ?? 0}]`,
          (attributes.status as { uid: string }).uid,
        ]),
      ),
    );
  }

  /** Numbers of the provider's processes that were started from here and still run. */
  providers(): number[] {
    const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return found.map(Number).filter((pid) => commandLine(pid).includes(this.#sockets));
  }

  /** Ends the provider's processes whose sockets lie below the folder. */
  endProviders(folder: string): void {
    const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    for (const pid of found.map(Number)) {
      const line = commandLine(pid);
      if (line.includes('--warm') && line.includes(folder)) process.kill(pid, 'SIGKILL');
    }
  }

  /** Lets everyone into the folder of the provider's sockets. */
  openSockets(): void {
    chmodSync(this.#sockets, 0o755);
  }

  /** A provider that runs already, and the variables by which Terraform finds it. */
  async reattach(env: Record<string, string>): Promise<{ env: Record<string, string>; close(): Promise<void> }> {
    const main = join(import.meta.dirname, '../../provider/src/main.ts');
    const child = spawn(process.execPath, [main, '--reattach'], { env: { ...process.env, ...env }, stdio: 'pipe' });
    const ended = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      const [, providers] = /^TF_REATTACH_PROVIDERS='(.*)'$/.exec(line) ?? [];
      if (!providers) continue;
      const close = async () => {
        child.kill();
        await ended;
      };
      return { env: { TF_REATTACH_PROVIDERS: providers }, close };
    }
    throw new Error(`the provider did not start: ${await text(child.stderr)}`);
  }

  /** Ends the provider's processes that outlive Terraform, and removes the folder. */
  close(): void {
    this.endProviders(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #sockets(): string {
    return join(this.folder, 'plumb-provider');
  }
}

interface StateResource {
  mode: string;
  type: string;
  name: string;
  instances: { attributes: Record<string, unknown>; status?: string; index_key?: string | number }[];
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It has ended meanwhile.
  }
}
