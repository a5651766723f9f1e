import { expect, test } from 'vitest';
import { qemuUser } from './qemu-user.ts';

const capabilities = (models: string) => `<capabilities><host><uuid>x</uuid>${models}</host></capabilities>`;
const dac = (label: string) => `<secmodel><model>dac</model><doi>0</doi>${label}</secmodel>`;
const NONE = '<secmodel><model>none</model><doi>0</doi></secmodel>';
const APPARMOR = '<secmodel><model>apparmor</model><doi>0</doi></secmodel>';

test.each([
  [dac("<baselabel type='kvm'>+64055:+109</baselabel><baselabel type='qemu'>+1:+2</baselabel>"), 64055, 109],
  [`${APPARMOR}${dac("<baselabel type='kvm'>+0:+0</baselabel>")}`, 0, 0],
  [`${NONE}${dac("<baselabel type='qemu'>+107:+107</baselabel>")}`, 107, 107],
])('%s', (models, uid, gid) => {
  expect(qemuUser(capabilities(models))).toEqual({ uid, gid });
});

test.each(['', NONE, dac(''), dac("<baselabel type='kvm'>root:root</baselabel>")])(
  'a libvirt that does not say it, %j, is refused',
  (models) => {
    expect(() => qemuUser(capabilities(models))).toThrow(/as which user/);
  },
);
