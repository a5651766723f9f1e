import type { HostResource } from '@plumb/schemas';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import type { DomainSurroundings } from './definition.ts';
import { domainXml } from './definition.ts';
import { METADATA_NAMESPACE, markElement, readMark } from './metadata.ts';
import { elementAt, parseXml } from './xml-tree.ts';

const uid = '1a57a9ce-0000-4000-8000-000000000001';
const resource: HostResource<'domain'> = {
  kind: 'domain',
  id: uid,
  owner: uid,
  spec: {
    name: 'default.web-0',
    cpus: 2,
    memoryMiB: 512,
    disks: [`${uid}.root`],
    seed: `${uid}.seed`,
    ports: [
      { id: `${uid}.eth0`, macAddress: '52:54:00:00:00:11', mtuBytes: 1450 },
      { id: `${uid}.eth1`, macAddress: '52:54:00:00:00:12', mtuBytes: 1500 },
    ],
    power: 'Running',
  },
};
const surroundings: DomainSurroundings = {
  key: '0123abcd',
  accelerator: 'tcg',
  emulator: '/usr/bin/qemu-system-x86_64',
  machine: 'pc-q35-7.2',
  seedContent: 'i-1',
  disks: [{ path: '/data/disks/a.root.qcow2', base: { path: '/data/images/b.img', format: 'raw' } }],
  seedPath: '/data/seeds/a.seed.iso',
  taps: ['pt0123456789ab', 'ptba9876543210'],
  consoleLog: '/data/domains/a/console.log',
};

/** What sits where on the PCI bus. */
function placesIn(xml: string): string[] {
  const devices = elementAt(parseXml(xml), 'devices')!.children;
  return devices.flatMap(({ name, attributes, children }) => {
    const address = children.find((part) => part.name === 'address');
    const target = children.find((part) => part.name === 'target')?.attributes.dev ?? '';
    return name === 'controller' || address
      ? [`${name} ${attributes.index ?? ''} ${target} ${JSON.stringify(address?.attributes ?? {})}`]
      : [];
  });
}

describe('the definition of a domain', () => {
  test('without virtualization in the processor', async () => {
    await expect(domainXml(resource, surroundings)).toMatchFileSnapshot('testdata/tcg.xml');
  });

  test('with KVM, and without a seed and ports', async () => {
    const { seed: _seed, ...spec } = resource.spec;
    const { seedPath: _path, ...rest } = surroundings;
    const bare = { ...resource, spec: { ...spec, ports: [] } };
    const xml = domainXml(bare, { ...rest, accelerator: 'kvm', taps: [] });
    await expect(xml).toMatchFileSnapshot('testdata/kvm.xml');
  });

  test('that an earlier version made is known in its own form, and moves no device when it gets the form of today', async () => {
    const former = domainXml(resource, { ...surroundings, layout: 1, machine: 'q35' });
    await expect(former).toMatchFileSnapshot('testdata/layout-1.xml');
    expect(placesIn(domainXml(resource, surroundings))).toEqual(placesIn(former));
  });

  test('keeps every value a value, whatever is in it', () => {
    const evil = `</name><on_poweroff>"'&<![CDATA[ ü 😀 ]]>`;
    const path = `/data/"'<&>.iso`;
    const xml = domainXml({ ...resource, spec: { ...resource.spec, name: evil } }, { ...surroundings, seedPath: path });
    const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@', trimValues: false });
    const { domain } = parser.parse(xml);
    expect(domain.name).toBe(evil);
    expect(domain.on_poweroff).toBe('destroy');
    expect(domain.devices.disk[1].source['@file']).toBe(path);
  });
});

describe('its metadata', () => {
  /** Our element as some tools pass it on: without our prefix. */
  const element = (from: HostResource<'domain'>, key = '0123abcd') => {
    const xml = domainXml(from, { ...surroundings, key });
    const found = /<plumb:thing[^>]*>([\s\S]*)<\/plumb:thing>/.exec(xml)?.[1];
    return `<thing xmlns="${METADATA_NAMESPACE}" key="${key}">${found}</thing>`;
  };

  const read = (xml: string) =>
    readMark(parseXml(`<domain><metadata><a/>${xml}</metadata></domain>`), '0123abcd', uid)?.resource;

  test('tells the resource to the driver that made it', () => {
    const odd = { ...resource, spec: { ...resource.spec, name: `ü "quoted" & <tagged> 😀` } };
    for (const one of [resource, odd]) {
      expect(read(element(one))).toEqual(one);
      const mark = { resource: one, layout: 2, machine: 'pc-q35-7.2', seed: 'i-1' };
      expect(readMark(parseXml(domainXml(one, surroundings)), '0123abcd', uid)).toEqual(mark);
      const alone = markElement(mark, '0123abcd').replace('<thing', `<thing xmlns="${METADATA_NAMESPACE}"`);
      expect(readMark(parseXml(`<domain><metadata>${alone}</metadata></domain>`), '0123abcd', uid)).toEqual(mark);
    }
  });

  test('is plain ASCII, which no tool rewrites', () => {
    expect(element({ ...resource, spec: { ...resource.spec, name: 'ü 😀 \u2028' } })).toMatch(/^[\x20-\x7e]*$/);
  });

  test.each([
    ['another driver’s', element(resource, 'ffffffff')],
    ['someone else’s', '<thing key="0123abcd">hello</thing>'],
    ['empty', '<thing key="0123abcd"/>'],
    ['no element', 'hello'],
    ['of another namespace', element(resource).replace(METADATA_NAMESPACE, 'https://example.org')],
  ])('that is %s is not ours', (_what, xml) => {
    expect(read(xml)).toBeUndefined();
  });
});
