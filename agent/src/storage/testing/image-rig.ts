/** What tests of images begin with: a folder, a server on loopback, and images that are kept in that folder. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HostResource, realAmbient } from '@plumb/schemas';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import { SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import { sourceOpener } from '../../fetch/open-source.ts';
import { Images, type ImagesOptions } from '../images.ts';

export const CONTENT = Buffer.alloc(300_000, 'an image ');
export const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

export class ImageRig {
  readonly folder: string;
  /** How often the server was asked. */
  requests = 0;
  #server: Server | undefined;

  static async open(): Promise<ImageRig> {
    return new ImageRig(await mkdtemp(join(tmpdir(), 'plumb-images-')));
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Files may come from the folder, and what loopback serves. */
  images(options: Partial<ImagesOptions> = {}): Images {
    const { folder } = this;
    const rules = new SourceRules({ folders: [folder], sources: ['127.0.0.0/8'], dataDir: join(folder, 'data') });
    return new Images({
      ...{ dataDir: join(folder, 'data'), openSource: sourceOpener({ rules }), limits: defaultAgentLimits },
      ...{ clock: realAmbient().clock, user: { uid: process.getuid!(), gid: process.getgid!() } },
      ...options,
    });
  }

  /** The URL of a server that answers so. */
  async serve(listener: RequestListener): Promise<string> {
    const server = createServer((request, response) => {
      this.requests += 1;
      listener(request, response);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/image`;
  }

  inCache(): Promise<string[]> {
    return readdir(join(this.folder, 'data/images'));
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    await rm(this.folder, { recursive: true });
  }
}

export function image(url: string, spec: Partial<HostResource<'image'>['spec']> = {}): HostResource<'image'> {
  const sha256 = spec.sha256 ?? SHA256;
  return { kind: 'image', id: sha256, owner: 'someone', spec: { url, format: 'raw', maxBytes: 1e6, sha256, ...spec } };
}
