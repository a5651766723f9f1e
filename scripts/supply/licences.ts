/** Under which licences what we use comes. Pure. */
import { type Lock, nameOf } from './lock.ts';

/** These ask for nothing but their text. */
const FREE = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
]);
/** Of tools that are used and not shipped, these too. */
const TOOLS = new Set([...FREE, 'MPL-2.0']);
/** Packages that name their licence otherwise. */
const NAMED: Readonly<Record<string, string>> = {
  jsonify: 'Public Domain',
};

/** Packages whose licence is not one of those that we take. */
export function licenceProblems({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([path, { license, link, dev }]) => {
    if (link || !path.includes('node_modules/')) return [];
    if (license !== undefined && NAMED[nameOf(path)] === license) return [];
    if (license !== undefined && isTaken(license, dev ? TOOLS : FREE)) return [];
    return [
      `${path} has the licence ${license ?? 'of no name'}, which ${dev ? 'tools of ours' : 'what we ship'} cannot have`,
    ];
  });
}

/** An SPDX expression: of alternatives one is enough, of licences that hold together all must be taken. */
function isTaken(expression: string, taken: ReadonlySet<string>): boolean {
  const alternatives = expression.replace(/^\((.*)\)$/, '$1').split(/ OR /);
  return alternatives.some((one) => one.split(/ AND /).every((licence) => taken.has(licence.replace(/[()]/g, ''))));
}
