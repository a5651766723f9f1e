/**
 * Which files a domain has as disks, and which of them Plumb did not give it. A backup tool makes a snapshot by putting a
 * file of its own in the place of ours: what the guest writes from then on is in that file alone, and a guest that was
 * started from ours again would have lost it.
 */
import type { DomainSurroundings } from './definition.ts';
import { diskTarget, SEED_TARGET } from './definition.ts';
import type { XmlElement } from './xml-tree.ts';
import { childrenNamed, elementAt } from './xml-tree.ts';

export interface ForeignDisk {
  /** libvirt's name of the disk: vda. */
  target: string;
  /** What it is, as far as libvirt says: mostly a path. */
  source: string;
  /** The file of ours that it took the place of. */
  ours?: string;
  /**
   * `snapshot`: it stands on our file, and goes back into it. `copy`: it took the place of our file. `extra`: it is beside
   * what was declared.
   */
  kind: 'snapshot' | 'copy' | 'extra';
}

/** In the order of the XML. `paths`: our files, in the order of the declared disks. */
export function foreignDisks(domain: XmlElement, paths: readonly string[]): ForeignDisk[] {
  const ours = new Map(paths.map((path, index) => [diskTarget(index), path]));
  const found: ForeignDisk[] = [];
  for (const disk of childrenNamed(elementAt(domain, 'devices'), 'disk')) {
    const target = elementAt(disk, 'target')?.attributes.dev ?? '';
    if (target === SEED_TARGET) continue; // It is only read: another in its place loses nothing.
    const source = sourceOf(disk);
    const path = ours.get(target);
    if (path === undefined) found.push({ target, source, kind: 'extra' });
    else if (source !== path)
      found.push({ target, source, ours: path, kind: chainOf(disk).includes(path) ? 'snapshot' : 'copy' });
  }
  return found;
}

/** How the definition's disks differ from ours in what is no danger to data: the seed, and what is gone. */
export function diskEdits(
  domain: XmlElement,
  { disks, seedPath }: Pick<DomainSurroundings, 'disks' | 'seedPath'>,
): string[] {
  const there = new Map(
    childrenNamed(elementAt(domain, 'devices'), 'disk').map((disk) => [
      elementAt(disk, 'target')?.attributes.dev ?? '',
      sourceOf(disk),
    ]),
  );
  const edits: string[] = [];
  for (const [index, { path }] of disks.entries())
    if (!there.has(diskTarget(index))) edits.push(`disk ${diskTarget(index)} (${path}) is not there, and is declared`);
  if (seedPath !== undefined && there.get(SEED_TARGET) !== seedPath)
    edits.push(`disk ${SEED_TARGET} is ${there.get(SEED_TARGET) || 'not there'}, and the seed ${seedPath} is declared`);
  return edits;
}

/** What a person has to know and to do; undefined when no disk is foreign. `name`: the domain's. */
export function riskSentence(name: string, foreign: readonly ForeignDisk[], runs: boolean): string | undefined {
  if (foreign.length === 0) return undefined;
  const what = foreign.map(({ target, source, kind }) =>
    kind === 'extra'
      ? `it has a disk ${target} (${source}) that was not declared`
      : `its disk ${target} is ${source} and no longer the file that Plumb made`,
  );
  const todo = new Set(foreign.map((disk) => wayOut(name, disk, runs)));
  return `${what.join('; ')}: somebody made ${made(foreign)}. It is left as it is, and neither started nor defined anew, since what was written there would be lost. ${[...todo].join(' ')}`;
}

function made(foreign: readonly ForeignDisk[]): string {
  const words = { snapshot: 'an external snapshot', copy: 'a copy of it', extra: 'that' };
  return [...new Set(foreign.map(({ kind }) => words[kind]))].join(' and ');
}

/** A commit without a base would go on to the end of the chain, which is the image that other guests have below theirs. */
function wayOut(name: string, { target, source, ours, kind }: ForeignDisk, runs: boolean): string {
  const first = runs ? '' : `virsh start ${name}; `;
  switch (kind) {
    case 'snapshot':
      return `To bring it back: ${first}virsh blockcommit ${name} ${target} --base ${ours} --active --pivot --wait.${runs ? '' : ` If it is not wanted any more, move ${source} away.`}`;
    case 'copy':
      return `To bring it back: ${first}virsh blockcopy ${name} ${target} ${ours} --reuse-external --pivot --wait.${runs ? '' : ` If it is not wanted any more, move ${source} away.`}`;
    case 'extra':
      return `To take it out: virsh detach-disk ${name} ${target} --persistent.`;
  }
}

function sourceOf(disk: XmlElement): string {
  const { file, dev, name, volume, pool } = elementAt(disk, 'source')?.attributes ?? {};
  return file ?? dev ?? name ?? (volume === undefined ? 'an empty drive' : `${pool}/${volume}`);
}

/** The files below the one that is written to. */
function chainOf(disk: XmlElement): string[] {
  const below = elementAt(disk, 'backingStore');
  return below === undefined ? [] : [sourceOf(below), ...chainOf(below)];
}
