/** The binary of a platform, which carries Node and the provider. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { root } from '../build-inputs.ts';
import { run } from '../run.ts';
import type { Platform } from './platforms.ts';

export interface Carried {
  name: string;
  content: Buffer;
  mode: number;
}

export interface BinaryOptions {
  platform: Platform;
  /** What is packed: the runtime, and the program with all that it reads. */
  runtime: Carried[];
  program: Carried[];
  /** Of zstd: {@link RELEASE_LEVEL} for a release, less where time matters more than 5 MB. */
  level: number;
  /** Where what was compressed is kept, by its hash. */
  cache: string;
  /** Of the provider. */
  version: string;
}

/** Files of go-shim/ with which a binary is built. */
const SOURCE = /\.(go|mod|sum)$/;
/** Terraform reads the whole binary for its checksum with every command. */
export const MOST_BYTES = 45e6;
/** How hard zstd tries for what is published: two minutes for a Node, whose result is kept. */
export const RELEASE_LEVEL = 19;
/** Node repeats itself over long distances; the shim gives its decoder as much memory. */
const WINDOW_LOG = 27;

const compress = promisify(zstdCompress);

/** Throws an Error when it cannot be built, or is larger than {@link MOST_BYTES} in spite of the level of a release. */
export async function releaseBinary(options: BinaryOptions): Promise<Buffer> {
  const { platform, runtime, program, cache, version, level } = options;
  const folder = join(cache, `build-${platform.name}-${process.pid}`);
  const payload = join(folder, 'payload');
  mkdirSync(payload, { recursive: true });
  try {
    for (const name of readdirSync(join(root, 'go-shim')).filter((one) => SOURCE.test(one)))
      writeFileSync(join(folder, name), readFileSync(join(root, 'go-shim', name)));
    for (const one of [...runtime, ...program])
      writeFileSync(join(payload, `${one.name}.zst`), await compressed(one.content, options));
    const manifest = { runtime: partOf('runtime', runtime), program: partOf('program', program) };
    writeFileSync(join(payload, 'manifest.json'), JSON.stringify(manifest));
    const out = join(folder, `terraform-provider-plumb_v${version}`);
    await run(
      'go',
      ['build', '-tags=packed', '-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid=', '-o', out, '.'],
      {
        cwd: folder,
        env: { ...buildEnvironment, GOOS: platform.os, GOARCH: platform.arch },
      },
    );
    const binary = readFileSync(out);
    if (binary.length > MOST_BYTES && level >= RELEASE_LEVEL)
      throw new Error(`the binary for ${platform.name} has ${binary.length} bytes; at most ${MOST_BYTES} are good`);
    return binary;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nothing of this user's settings changes what is built; modules are compared with go.sum. */
const buildEnvironment = {
  CGO_ENABLED: '0',
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
  GOFLAGS: '-mod=readonly',
  GOAMD64: 'v1',
  GOARM64: 'v8.0',
  GOEXPERIMENT: '',
};

function partOf(name: string, files: readonly Carried[]) {
  return {
    name,
    files: files.map((one) => ({
      name: one.name,
      size: one.content.length,
      sha256: createHash('sha256').update(one.content).digest('hex'),
      mode: one.mode,
    })),
  };
}

async function compressed(content: Buffer, { level, cache }: BinaryOptions): Promise<Buffer> {
  const digest = createHash('sha256').update(content).digest('hex');
  const file = join(cache, `${digest}.${level}.zst`);
  if (existsSync(file)) return readFileSync(file);
  const made = await compress(content, {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW_LOG },
  });
  mkdirSync(cache, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, made);
  renameSync(`${file}.${process.pid}`, file);
  return made;
}
