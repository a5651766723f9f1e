/** A folder with a configuration of N resources of one type, and real Terraform in it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export type Command = 'plan' | 'apply' | 'again' | 'destroy';

const ARGUMENTS: Readonly<Record<Command, readonly string[]>> = {
  plan: ['plan', '-input=false'],
  apply: ['apply', '-auto-approve', '-input=false'],
  again: ['plan', '-input=false', '-detailed-exitcode'],
  destroy: ['destroy', '-auto-approve', '-input=false'],
};

export class BenchWorkspace {
  readonly #folder: string;
  readonly #terraform: string;
  readonly #env: NodeJS.ProcessEnv;

  /** Installs the provider, under a lock file. */
  static async open(folder: string, terraform: string, hcl: string, env: NodeJS.ProcessEnv): Promise<BenchWorkspace> {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'main.tf'), hcl);
    const made = new BenchWorkspace(folder, terraform, env);
    await made.#run(['init', '-input=false']);
    return made;
  }

  private constructor(folder: string, terraform: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#terraform = terraform;
    this.#env = env;
  }

  /** From start to end of the process, in milliseconds. Throws when it fails, or would change what is as declared. */
  async time(command: Command): Promise<number> {
    const began = performance.now();
    await this.#run(ARGUMENTS[command]);
    return performance.now() - began;
  }

  forget(): void {
    rmSync(join(this.#folder, 'terraform.tfstate'), { force: true });
  }

  async #run(args: readonly string[]): Promise<void> {
    const child = spawn(this.#terraform, [...args, '-no-color'], {
      cwd: this.#folder,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [said, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    if (code !== 0) throw new Error(`terraform ${args.join(' ')} ended with ${code}: ${said.slice(-2000)}${errors}`);
  }
}
