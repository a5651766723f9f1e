import { terminal } from '@plumb/schemas';
import { XMLParser } from 'fast-xml-parser';
import type { QemuUser } from '../../host/qemu-user.ts';

interface SecurityModel {
  model: string;
  baselabel?: { '#text': string; type: string }[];
}

/**
 * As whom guests run on this host: libvirt itself says so, in the label of its security model `dac` (capabilities,
 * `<baselabel type='kvm'>+64055:+64055</baselabel>`), whatever file or default it has that from. Throws `HostUnsupported`
 * (terminal) when it does not, as of a libvirtd without root.
 */
export function qemuUser(capabilitiesXml: string): QemuUser {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    alwaysCreateTextNode: true,
    isArray: (_name, path) => /\.secmodel(\.baselabel)?$/.test(String(path)),
  });
  const models: SecurityModel[] = parser.parse(capabilitiesXml).capabilities?.host?.secmodel ?? [];
  const text = (model: unknown) => String((model as { '#text'?: unknown })['#text'] ?? '');
  const dac = models.find(({ model }) => text(model) === 'dac');
  const label = dac?.baselabel?.find(({ type }) => type === 'kvm') ?? dac?.baselabel?.[0];
  const [, uid, gid] = label?.['#text'].match(/^\+?(\d+):\+?(\d+)$/) ?? [];
  if (uid === undefined || gid === undefined)
    throw terminal(
      'HostUnsupported',
      'libvirt does not say as which user guests run here: connect to the system libvirtd, which runs as root',
    );
  return { uid: Number(uid), gid: Number(gid) };
}
