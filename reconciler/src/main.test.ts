import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { serve } from './main.ts';

test('a server that cannot listen says so, and holds neither its data folder nor its process', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plumb-serve-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const options = { dataDir, log: () => {}, onFatal: () => {} };

  await expect(serve({ ...options, listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
    reason: 'CannotListen',
    retry: 'terminal',
    message: `cannot listen on 127.0.0.1:${port}: another program listens there; choose another with --listen`,
  });

  const plane = await serve({ ...options, listen: { host: '127.0.0.1', port: 0 } });
  await plane.close();
});
