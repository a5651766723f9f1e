/** The quickstart's network and instances, declared in TypeScript: ordinary code writes what HCL would say. */
import { Image, Instance, InstanceOffering, L2Network, L3Network, PlumbProvider, Zone } from '@plumb/bindings/cdktn';
import { App, TerraformOutput, TerraformStack } from 'cdktn';
import type { Construct } from 'constructs';

class Lab extends TerraformStack {
  constructor(scope: Construct, id: string, instances: number) {
    super(scope, id);
    // Takes its server from KUBECONFIG, or from PLUMB_ENDPOINT and PLUMB_TOKEN.
    new PlumbProvider(this, 'plumb');
    const zone = new Zone(this, 'home', { name: 'home' });
    const l2 = new L2Network(this, 'l2', { name: 'lab', zone: zone.name, type: 'vxlan', vni: 100 });
    const network = new L3Network(this, 'lab', {
      name: 'lab',
      l2Network: l2.name,
      ipv4: {
        cidr: '10.20.0.0/24',
        gateway: '10.20.0.1',
        ranges: [{ start: '10.20.0.10', end: '10.20.0.200' }],
      },
    });
    const offering = new InstanceOffering(this, 'small', { name: 'small', cpus: 1, memoryMib: 128 });
    const image = new Image(this, 'tiny', {
      name: 'tiny',
      url: process.env.IMAGE_URL ?? 'file:///var/lib/images/tiny.qcow2',
      sha256: process.env.IMAGE_SHA256 ?? '0'.repeat(64),
      format: 'qcow2',
    });
    for (let index = 0; index < instances; index++) {
      const web = new Instance(this, `web-${index}`, {
        name: `web-${index}`,
        zone: zone.name,
        offering: offering.name,
        image: image.name,
        interfaces: [{ name: 'eth0', l3Network: network.name, addresses: [`10.20.0.${11 + index}`] }],
      });
      new TerraformOutput(this, `host-${index}`, { value: web.status.host });
    }
  }
}

const app = new App();
new Lab(app, 'lab', 2);
app.synth();
