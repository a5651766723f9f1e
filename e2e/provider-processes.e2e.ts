/** Real Terraform through the shim and the provider against the real API: how it finds its server, and its processes. */
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createConnectionServer } from 'node:net';
import { join } from 'node:path';
import { UNKNOWN_SERVER } from '@plumb/schemas/testing/unknown-server.ts';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { build } from '../scripts/build.ts';
import { terraform } from './harness/machinery.ts';
import { Control, fine } from './provider/control.ts';
import { Workspace } from './provider/workspace.ts';

let control: Control;
let workspace: Workspace;

beforeAll(async () => {
  await build();
});

beforeEach(async () => {
  control = await Control.start();
  workspace = new Workspace(terraform!.path, { KUBECONFIG: control.kubeconfig });
});

afterEach(async () => {
  workspace?.close();
  await control?.close();
});

const zone = (body = '') => `resource "plumb_zone" "home" {\n  name = "home"\n${body}\n}\n`;

describe.skipIf(!terraform)('the provider block', () => {
  test('two aliases at once have each its own server', async () => {
    const other = await Control.start();
    try {
      const block = (alias: string, { kubeconfig }: Control) =>
        `provider "plumb" {\n  alias = "${alias}"\n  kubeconfig = "${kubeconfig}"\n}\n`;
      const resource = (alias: string) =>
        `resource "plumb_zone" "${alias}" {\n  provider = plumb.${alias}\n  name = "${alias}"\n}\n`;
      workspace.declare(`${block('east', control)}${block('west', other)}${resource('east')}${resource('west')}`);
      expect((await workspace.apply()).said).toContain('2 added');
      expect((await control.api.list('Zone')).map(({ metadata }) => metadata.name)).toEqual(['east']);
      expect((await other.api.list('Zone')).map(({ metadata }) => metadata.name)).toEqual(['west']);
    } finally {
      await other.close();
    }
  });

  test('takes endpoint, token and authority, from the block or the environment', async () => {
    const { url, token, authority } = control;
    workspace.declare(
      `provider "plumb" {\n  endpoint = "${url}"\n  ca_certificate = <<-EOT\n${authority.trim()}\nEOT\n}\n${zone()}`,
    );
    expect((await workspace.apply({ PLUMB_TOKEN: token })).said).toContain('1 added');
    workspace.declare(zone());
    const env = { PLUMB_ENDPOINT: url, PLUMB_TOKEN: token, PLUMB_CA_CERTIFICATE: authority };
    expect((await workspace.apply(env)).said).toContain('No changes');
  });

  test('with a wrong token or an unknown authority says so', async () => {
    workspace.declare(zone());
    const { url, authority } = control;
    const wrong = { PLUMB_ENDPOINT: url, PLUMB_TOKEN: 'wrong', PLUMB_CA_CERTIFICATE: authority };
    expect((await workspace.apply(wrong)).said).toContain('does not accept the credential');
    expect((await workspace.apply({ ...wrong, PLUMB_CA_CERTIFICATE: '' })).said).toContain('is not trusted');
  });
});

describe.skipIf(!terraform)('the processes', () => {
  test('a server that goes away in the middle is waited for', async () => {
    control.say = () => undefined;
    workspace.declare(zone());
    const applied = workspace.apply();
    await control.seen('Zone', 'home');
    const comeBack = await control.vanish();
    control.say = () => fine;
    await control.look();
    await comeBack();
    expect((await applied).said).toContain('1 added');
  });

  test('the provider outlives Terraform and serves the next run; when it was killed, another is started', async () => {
    workspace.declare(zone());
    await workspace.apply();
    const first = workspace.providers();
    expect(first).toHaveLength(1);
    await workspace.plan();
    expect(workspace.providers()).toEqual(first);
    process.kill(first[0]!, 'SIGKILL');
    expect(await workspace.plan()).toMatchObject({ code: 0 });
    expect(workspace.providers()).not.toEqual(first);
    expect(workspace.providers()).toHaveLength(1);
  });

  test('many runs that start at the same time share one process', async () => {
    workspace.declare(zone());
    await workspace.run(['validate']);
    process.kill(workspace.providers()[0]!, 'SIGKILL');
    const runs = await Promise.all(Array.from({ length: 4 }, () => workspace.run(['validate'])));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(workspace.providers()).toHaveLength(1);
  });

  test('a process that dies in the middle is told of, the command ends, and the next one works', async () => {
    control.say = () => undefined;
    workspace.declare(zone());
    const applied = workspace.apply();
    await control.seen('Zone', 'home');
    const [pid] = workspace.providers();
    process.kill(pid!, 'SIGKILL');
    const { code, said } = await applied;
    expect(code).toBe(1);
    expect(said).toContain("the provider's process ended in the middle of its work: it said nothing; was it killed");
    expect(said).not.toMatch(/goroutine|\.go:\d/);
    control.say = () => fine;
    await control.look();
    expect((await workspace.plan()).said).not.toContain('ended in the middle');
    expect(workspace.providers()).not.toContain(pid);
  });

  test('PLUMB_PROVIDER_WARM=0: a process for each run, which leaves nothing', async () => {
    const temporary = join(workspace.folder, 'temporary');
    mkdirSync(temporary, { mode: 0o700 });
    const env = { PLUMB_PROVIDER_WARM: '0', TMPDIR: temporary };
    workspace.declare(zone());
    expect((await workspace.apply(env)).said).toContain('1 added');
    await expect.poll(() => readdirSync(temporary), { timeout: 10_000 }).toEqual([]);
    expect(workspace.providers()).toEqual([]);
    const refused = await workspace.apply({ PLUMB_PROVIDER_WARM: 'maybe' });
    expect(refused.said).toContain('PLUMB_PROVIDER_WARM is "maybe": set it to 0');
  });

  test('what is in the way of the socket is told, and a socket that answers nonsense is replaced', async () => {
    workspace.declare(zone());
    await workspace.run(['validate']);
    const [pid] = workspace.providers();
    const sockets = join(workspace.folder, 'plumb-provider');
    const path = join(sockets, readdirSync(sockets).find((name) => name.endsWith('.sock'))!);
    process.kill(pid!, 'SIGKILL');
    rmSync(path);
    const liar = createConnectionServer((socket) =>
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n').on('error', () => {}),
    );
    await once(liar.listen(path), 'listening');
    expect((await workspace.apply()).said).toContain('1 added');
    liar.close();
    workspace.endProviders(workspace.folder);
    rmSync(path, { force: true });
    mkdirSync(join(path, 'inside'), { recursive: true });
    expect((await workspace.run(['validate'])).said).toContain("is in the way of the provider's socket: remove it");
    rmSync(path, { recursive: true });
  });

  test('a folder of sockets that others can enter is refused', async () => {
    workspace.declare(zone());
    await workspace.run(['validate']);
    workspace.openSockets();
    const { code, said } = await workspace.run(['validate']);
    expect(code).toBe(1);
    expect(said).toContain('must be a folder of yours that nobody else can enter');
  });

  test('nothing of the shell that started it reaches another: what is trusted, what is loaded, what is secret', async () => {
    const heard: string[] = [];
    const stranger = createServer(UNKNOWN_SERVER, (request, response) => {
      heard.push(request.headers.authorization ?? '');
      response.end('{}');
    });
    await once(stranger.listen(0, '127.0.0.1'), 'listening');
    const url = `https://localhost:${(stranger.address() as AddressInfo).port}`;
    const file = (name: string, text: string) => {
      writeFileSync(join(workspace.folder, name), text);
      return join(workspace.folder, name);
    };
    const authority = file('stranger.pem', UNKNOWN_SERVER.cert);
    const loaded = join(workspace.folder, 'loaded');
    const hostile = {
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      NODE_EXTRA_CA_CERTS: authority,
      SSL_CERT_FILE: authority,
      NODE_OPTIONS: `--use-openssl-ca --require=${file('load.cjs', `require('fs').writeFileSync('${loaded}', '')`)}`,
      NODE_USE_ENV_PROXY: '1',
      HTTPS_PROXY: 'http://127.0.0.1:1',
      LD_LIBRARY_PATH: workspace.folder,
      AWS_SECRET_ACCESS_KEY: 'hush-hush-hush',
    };
    try {
      workspace.declare(zone());
      expect((await workspace.run(['validate'], hostile)).code).toBe(0);
      const [pid] = workspace.providers();
      const environ = readFileSync(`/proc/${pid}/environ`, 'utf8');
      for (const name of Object.keys(hostile)) expect(environ).not.toContain(`${name}=`);
      expect(existsSync(loaded)).toBe(false);
      const mine = { PLUMB_ENDPOINT: url, PLUMB_TOKEN: 'the-token-of-this-shell' };
      expect((await workspace.apply(mine)).said).toContain('is not trusted');
      expect(heard).toEqual([]);
      // The other way round: what that shell set is not needed to reach a server, and the process is the same.
      expect((await workspace.apply()).said).toContain('1 added');
      expect(workspace.providers()).toEqual([pid]);
    } finally {
      stranger.close();
    }
  });

  test('what a run needs beside reaches its session: a program for the credential, with the variables of this shell', async () => {
    workspace.declare(zone());
    await workspace.run(['validate'], { MY_TOKEN: 'of-another-shell' });
    const started = workspace.providers();
    const config = join(workspace.folder, 'exec-config');
    const plugin = join(workspace.folder, 'plugin');
    writeFileSync(plugin, `#!/bin/sh\necho '{"status":{"token":"'$MY_TOKEN'"}}'\n`, { mode: 0o755 });
    const text = readFileSync(control.kubeconfig, 'utf8');
    const exec = 'exec:\n        apiVersion: client.authentication.k8s.io/v1\n        command: ./plugin';
    writeFileSync(config, text.replace(/token: \S+/, exec));
    const named = { KUBECONFIG: config, PLUMB_PROVIDER_ENV: 'OTHER,MY_TOKEN' };
    expect((await workspace.apply({ ...named, MY_TOKEN: 'wrong' })).said).toContain('does not accept the credential');
    expect((await workspace.apply({ ...named, MY_TOKEN: control.token })).said).toContain('1 added');
    // What is not named, and is none of the usual ones, stays in the shell.
    const unnamed = await workspace.apply({ KUBECONFIG: config, MY_TOKEN: control.token });
    expect(unnamed.said).toContain('name it in PLUMB_PROVIDER_ENV');
    expect(workspace.providers()).toEqual(started);
  });

  test.runIf(process.geteuid?.() === 0)(
    'a folder for sockets that somebody else made, or could replace, is passed over, and blocks nobody',
    async () => {
      workspace.declare(zone());
      const [theirs, temporary, home] = ['theirs', 'temporary', 'home'].map((name) => join(workspace.folder, name)) as [
        string,
        string,
        string,
      ];
      for (const folder of [theirs, temporary, home, join(home, '.cache')]) mkdirSync(folder, { mode: 0o700 });
      chownSync(theirs, 65534, 65534);
      const env = { XDG_RUNTIME_DIR: theirs, TMPDIR: temporary, HOME: home, TF_LOG_PROVIDER: 'WARN' };
      const first = await workspace.apply(env);
      expect(first.said).toContain('1 added');
      expect(first.said).toContain(`${theirs} belongs to another user`);
      expect(readdirSync(theirs)).toEqual([]);
      const own = `plumb-provider-${process.getuid!()}`;
      expect(readdirSync(temporary)).toContain(own);
      workspace.endProviders(temporary);
      // The name is taken by somebody else in the folder for temporary files, too: the cache of this user is next.
      rmSync(join(temporary, own), { recursive: true });
      mkdirSync(join(temporary, own));
      chownSync(join(temporary, own), 65534, 65534);
      expect((await workspace.apply(env)).said).toContain('No changes');
      expect(readdirSync(join(home, '.cache'))).toEqual(['plumb-provider']);
      workspace.endProviders(home);
      // And there: a folder for this run alone, which goes with its process.
      chownSync(join(home, '.cache'), 65534, 65534);
      const last = await workspace.apply(env);
      expect(last.said).toContain('No changes');
      expect(last.said).toContain('each run starts a process of its own');
      workspace.endProviders(temporary);
    },
  );

  test('logs reach Terraform and hold no secret', async () => {
    workspace.declare(zone());
    const { said } = await workspace.apply({ TF_LOG_PROVIDER: 'TRACE' });
    expect(said).toMatch(/PATCH \/apis\/plumb\.dev\/v1\/zones\/[a-z0-9-]+\?fieldManager=terraform%3A/);
    expect(said).not.toContain(control.token);
  });

  test('reattached, it needs no shim', async () => {
    workspace.declare(zone());
    const attached = await workspace.reattach({ KUBECONFIG: control.kubeconfig });
    try {
      expect((await workspace.apply(attached.env)).said).toContain('1 added');
      expect(workspace.providers()).toEqual([]);
    } finally {
      await attached.close();
    }
  });
});
