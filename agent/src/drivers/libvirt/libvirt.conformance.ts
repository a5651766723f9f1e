import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { test } from 'vitest';
import { driverConformance } from '../conformance.ts';
import { RealHost, whyNoRealHost } from './real-host.ts';

const missing = await whyNoRealHost();

if (missing !== undefined) test.skip(`driver libvirt: ${missing}`, () => {});
else
  driverConformance('libvirt', async () => {
    const host = await RealHost.open();
    const driver = await host.openDriver({ shutdownGraceMs: 500 });
    const broken = createServer((request, response) => {
      response.writeHead(200, { 'content-length': '4096' });
      response.write(Buffer.alloc(1024), () => request.url === '/stalled.qcow2' || response.destroy());
    });
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    return {
      driver,
      imageUrl: pathToFileURL(host.image.path).href,
      imageSha256: host.image.sha256,
      imageFormat: 'qcow2',
      brokenImageUrl: `http://127.0.0.1:${(broken.address() as AddressInfo).port}/broken.qcow2`,
      stalledImageUrl: `http://127.0.0.1:${(broken.address() as AddressInfo).port}/stalled.qcow2`,
      runOf: (id) => host.qemuPid(id),
      killDomain: async (id) => {
        process.kill(await host.qemuPid(id), 'SIGKILL');
      },
      breakPort: async (id) => {
        await host.run('ip', ['link', 'set', 'dev', host.names.tap(id), 'nomaster']);
      },
      makeForeignDomain: async (name) => {
        await host.defineForeignDomain(name);
        return {
          exists: async () => (await host.virsh('list', '--all', '--name')).split('\n').includes(name),
          remove: async () => {
            await host.virsh('undefine', name);
          },
        };
      },
      close: async () => {
        await driver.close();
        broken.closeAllConnections();
        broken.close();
        await host.close();
      },
    };
  });
