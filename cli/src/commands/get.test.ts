import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@plumb/client/testing/server.ts';
import { UNKNOWN_SERVER } from '@plumb/schemas/testing/unknown-server.ts';
import { expect, onTestFinished, test } from 'vitest';
import { run } from '../testing/run.ts';

const zone = (type: string, name: string, resourceVersion: string) => ({
  type,
  object: { kind: 'Zone', metadata: { name, resourceVersion } },
});
const shown = {
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion: '5', annotations: { 'k8s.io/initial-events-end': 'true' } } },
};

test('-w goes on when the server ends the watch or is away, without showing anything twice', async () => {
  const server = await serve([
    { lines: [zone('ADDED', 'a', '3'), shown] },
    { status: 503 },
    { cut: true },
    { body: { metadata: { resourceVersion: '6' } } },
    { lines: [zone('MODIFIED', 'b', '6')] },
    { status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden', message: 'enough' } },
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'plumb-get-'));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'kubeconfig');
  const ca = Buffer.from(UNKNOWN_SERVER.cert).toString('base64');
  writeFileSync(
    file,
    `current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "${server.url}", certificate-authority-data: ${ca}}}]
users: [{name: u, user: {token: hush-hush}}]
`,
    { mode: 0o600 },
  );
  const { code, out, err } = await run(['get', 'zones', '-o', 'name', '-w'], { env: { KUBECONFIG: file } });
  expect({ code, out }).toEqual({ code: 1, out: 'zone/a\nzone/b\n' });
  expect(err).toMatch(/^the server answered 503 to GET [^\n]*; goes on when it can\nerror: enough\n$/);
  const asked = server.seen.map(({ path }) => new URL(path, 'https://x').searchParams.get('resourceVersion'));
  expect(asked).toEqual([null, '5', '5', null, '5', '5']);
});
