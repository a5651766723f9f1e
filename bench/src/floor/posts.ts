import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpsClient } from '../http/client.ts';
import { startChild } from '../processes/child.ts';
import type { Certificates } from './certificates.ts';

/** N authenticated POSTs on warm TLS connections to a server that does nothing else. Resolves with milliseconds. */
export interface Posts {
  measure(n: number): Promise<number>;
  close(): Promise<void>;
}

export async function startPosts(
  folder: string,
  { authority, serving }: Certificates,
  connections: number,
  body: (i: number) => string,
): Promise<Posts> {
  const files = [join(folder, 'cert.pem'), join(folder, 'key.pem')] as const;
  writeFileSync(files[0], serving.certificate);
  writeFileSync(files[1], serving.key, { mode: 0o600 });
  const token = 'floor-0123456789abcdef';
  const child = await startChild(join(import.meta.dirname, 'https-server.ts'), [...files, token], /^ready \d+$/);
  const url = `https://127.0.0.1:${child.ready.split(' ')[1]}`;
  const client = new HttpsClient({ url, authority, token }, connections);
  await client.warm('/');
  return {
    async measure(n) {
      const started = performance.now();
      await Promise.all(Array.from({ length: n }, (_, i) => client.expect(201, 'POST', '/objects', body(i))));
      return performance.now() - started;
    },
    async close() {
      client.close();
      await child.end();
    },
  };
}
