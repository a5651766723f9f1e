/** The binary that terraform starts, where Go is there to build it. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dist, isUpToDate, remember, root } from './build-inputs.ts';

const run = promisify(execFile);

export interface Shim {
  /** The binary; undefined where there is no Go. */
  path: string | undefined;
  line: string;
}

/** Builds go-shim/ for this machine. It depends on nothing but Go's own library, so nothing is downloaded. */
export async function buildShim(): Promise<Shim> {
  const version = await goVersion();
  if (version === undefined) {
    return {
      path: undefined,
      line: 'shim: skipped, since go is not in PATH: terraform can use the provider by reattach only (provider/src/main.ts --reattach)',
    };
  }
  const path = join(dist, 'shim', 'terraform-provider-plumb');
  if (isUpToDate('shim', version, [path])) return { path, line: 'shim: unchanged' };
  mkdirSync(join(dist, 'shim'), { recursive: true });
  const folder = join(root, 'go-shim');
  await run('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', path, '.'], {
    cwd: folder,
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '' },
  });
  const inputs = readdirSync(folder).filter((name) => name.endsWith('.go') || name === 'go.mod');
  remember('shim', version, [...inputs.map((name) => `go-shim/${name}`), 'scripts/build-shim.ts']);
  return { path, line: `shim: built with ${version.split(' ')[2]}` };
}

async function goVersion(): Promise<string | undefined> {
  try {
    return (await run('go', ['version'])).stdout.trim();
  } catch {
    return undefined;
  }
}
