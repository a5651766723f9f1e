/** Beside what libvirt 9.0 said of a domain that this definition had made (testdata/libvirt-9.0-*.xml). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { guestResources } from '../guest-resources.ts';
import type { View } from './compare.ts';
import type { DomainParts } from './definition.ts';
import { domainXml } from './definition.ts';
import { Edits } from './edits.ts';
import type { Mark } from './metadata.ts';
import { readMark } from './metadata.ts';
import { parseXml } from './xml-tree.ts';

const read = (name: string) => readFile(join(import.meta.dirname, 'testdata', name), 'utf8');
const [DEFINED, RUNNING] = await Promise.all([read('libvirt-9.0-defined.xml'), read('libvirt-9.0-running.xml')]);
const bridge = { name: 'lab', type: 'vxlan', vni: 200, mtuBytes: 1450, peers: [] } as const;
const { domain, disk, seed } = guestResources({
  number: 1,
  image: { path: '', sha256: 'base' },
  bridge: { ...bridge, peers: [] },
});

const parts: DomainParts = {
  ...{ key: '0123abcd', accelerator: 'tcg', emulator: '/usr/bin/qemu-system-x86_64' },
  disks: [{ path: `/data/disks/${disk.id}.qcow2`, base: { path: '/data/images/base.img', format: 'qcow2' } }],
  seedPath: `/data/seeds/${seed.id}.iso`,
  taps: ['pt0123456789ab', 'ptba9876543210'],
  consoleLog: `/data/domains/${domain.id}/console.log`,
};

let edits: Edits;
let logged: string[];
beforeEach(() => {
  logged = [];
  edits = new Edits({ partsOf: () => parts, log: (line) => logged.push(line) });
});

function found(view: View, xml: string): string[] {
  const tree = parseXml(xml);
  const mark = readMark(tree, '0123abcd', domain.id) as Mark;
  return view === 'definition' ? edits.of(tree, mark) : edits.ofRunning(tree, mark);
}

test('what libvirt makes of our definition by itself is no edit', () => {
  expect(parseXml(DEFINED)).not.toEqual(parseXml(domainXml(domain, { ...parts, machine: 'pc-q35-7.2' })));
  expect(found('definition', DEFINED)).toEqual([]);
  expect(found('running', RUNNING)).toEqual([]);
});

describe('an edit of the definition is told:', () => {
  const device = (xml: string) => [/<\/devices>/, `${xml}</devices>`] as const;
  test.each<[string, readonly [RegExp, string], RegExp]>([
    ['another machine', [/pc-q35-7\.2'>hvm/, "pc-q35-6.0'>hvm"], /machine is pc-q35-6\.0, and pc-q35-7\.2 is declared/],
    ['another end of a reboot', [/<on_reboot>restart/, '<on_reboot>destroy'], /on_reboot is destroy, and restart/],
    ['another end of a crash', [/<on_crash>destroy/, '<on_crash>preserve'], /on_crash is preserve/],
    ['more processors', [/'static'>1</, "'static' current='1'>4<"], /vcpu is 4, and 1 is declared/],
    ['more memory', [/<memory unit='KiB'>114688/, "<memory unit='MiB'>512"], /memory is 524288 KiB, and 114688 KiB/],
    ['another processor', [/mode='maximum'/, "mode='custom'"], /cpu mode is custom, and maximum/],
    ['another start', [/<boot dev='hd'\/>/, "<boot dev='network'/>"], /boot dev is network/],
    ['another QEMU', [/<emulator>[^<]*/, '<emulator>/tmp/qemu'], /emulator is \/tmp\/qemu/],
    [
      'arguments for QEMU',
      [/<\/devices>/, '</devices><qemu:commandline><qemu:arg value="-s"/></qemu:commandline>'],
      /qemu:commandline/,
    ],
    ['another kernel', [/<boot dev='hd'\/>/, '<kernel>/tmp/vmlinuz</kernel>'], /os\/kernel/],
    ['a folder of the host', device("<filesystem type='mount'><source dir='/'/></filesystem>"), /filesystem \(mount\)/],
    ['a device of the host', device("<hostdev mode='subsystem' type='pci'/>"), /hostdev \(pci\)/],
    ['a screen', device("<graphics type='vnc' port='-1'/>"), /graphics \(vnc\)/],
    ['a channel', device("<channel type='unix'/>"), /channel \(unix\)/],
    ['another watchdog', device("<watchdog model='i6300esb' action='poweroff'/>"), /watchdog \(i6300esb\)/],
    ['one more console', device("<serial type='file'><source path='/etc/x'/></serial>"), /serial \(file\)/],
    [
      'one more interface',
      device("<interface type='user'><mac address='52:54:00:aa:aa:aa'/></interface>"),
      /interface \(user 52:54:00:aa:aa:aa\)/,
    ],
    ['an interface elsewhere', [/dev='pt0123456789ab'/, "dev='tap0'"], /interface\/target dev is tap0/],
    [
      'an interface without its cable',
      [/<mtu size='1450'\/>/, "<mtu size='1450'/><link state='down'/>"],
      /interface\/link|link/,
    ],
    ['a console that is kept elsewhere', [/<log file='[^']*'/, "<log file='/etc/passwd'"], /log file is \/etc\/passwd/],
    ['no log of the console', [/<log file='[^>]*>/, ''], /log is not there/],
    ['no panic device', [/<panic model='isa'\/>/, ''], /panic \(isa\) is not there/],
    ['another seed', [/seed\.iso/, 'other.iso'], /disk vdz is \/data\/seeds\/.*other\.iso/],
    [
      'no root disk',
      [/<disk type='file' device='disk'>\s*<driver name='qemu' type='qcow2'[\s\S]*?<\/disk>/, ''],
      /disk vda .* is not there/,
    ],
    ['less of the host', [/<clock/, '<cputune><shares>1</shares></cputune><clock'], /it has cputune/],
  ])('%s', (_what, [from, to], sentence) => {
    const edited = DEFINED.replace(from, to);
    expect(edited).not.toBe(DEFINED);
    expect(found('definition', edited).join('\n')).toMatch(sentence);
  });

  test('notes of people and what other programs note are none', () => {
    const noted = DEFINED.replace(
      '<metadata>',
      '<title>web</title><description>mine</description><metadata><a:b xmlns:a="a"/>',
    );
    expect(found('definition', noted)).toEqual([]);
  });
});

test('of what runs, size and interfaces are looked at elsewhere, and what the host is now is no edit', () => {
  const other = RUNNING.replace("'static'>1<", "'static' current='2'>4<")
    .replace("<memory unit='KiB'>114688", "<memory unit='KiB'>229376")
    .replace(/<interface[\s\S]*<\/interface>/, '')
    .replace(/<emulator>[^<]*/, '<emulator>/opt/qemu')
    .replace("<domain type='qemu'", "<domain type='kvm'");
  expect(found('running', other)).toEqual([]);
  expect(found('running', RUNNING.replace("machine='pc-q35-7.2'>", "machine='pc-q35-6.0'>"))).toHaveLength(1);
  const usb = RUNNING.replace('</devices>', "<hostdev mode='subsystem' type='usb'/></devices>");
  expect(found('running', usb).join()).toMatch(/hostdev \(usb\), which is not declared/);
});

test('what a libvirt of another version adds right after our definition is learned, and told of no domain', () => {
  const newer = DEFINED.replace('</devices>', "<crypto model='virtio'/></devices>");
  expect(found('definition', newer)).toHaveLength(1);
  const tree = parseXml(newer);
  edits.learn('definition', tree, readMark(tree, '0123abcd', domain.id)!);
  expect(logged).toEqual([expect.stringContaining('crypto (virtio)')]);
  expect(found('definition', newer)).toEqual([]);
  expect(found('definition', newer.replace('<on_reboot>restart', '<on_reboot>destroy'))).toHaveLength(1);
  expect(found('running', RUNNING.replace('</devices>', "<crypto model='virtio'/></devices>"))).toHaveLength(1);
});

test('a definition of an earlier version is compared in its own form', async () => {
  const former = DEFINED.replace(' layout="2" machine="pc-q35-7.2"', '')
    .replace(/<seclabel model='dac' relabel='no'\/>/g, '')
    .replace("<panic model='isa'/>", '');
  expect(found('definition', former)).toEqual([]);
  expect(found('definition', former.replace('<on_reboot>restart', '<on_reboot>destroy'))).toHaveLength(1);
});
