/** Whether the bill of materials says what is really in dist/: everything is made or read anew, and nothing of it is believed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist, root } from '../build-inputs.ts';
import { bundle, bundledPackages } from '../build-provider.ts';
import { type Bill, billFile, type Component, filesIn, goModules, packageOf } from './bom.ts';
import type { Lock } from './lock.ts';

export { billFile };

/** What the bill and dist/ differ in. */
export async function billProblems(file: string = billFile): Promise<string[]> {
  if (!existsSync(file)) return [`${file} is not there`];
  const bill = JSON.parse(readFileSync(file, 'utf8')) as Bill;
  const program = join(dist, 'provider', 'provider.mjs');
  const made = await bundle(program);
  const problems = formProblems(bill);
  const [output] = made.outputFiles;
  if (!output || !readFileSync(program).equals(output.contents))
    problems.push(`${program} is not what its source makes`);
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const shim = join(dist, 'shim', 'terraform-provider-plumb');
  const there = [
    ...filesIn(dist),
    ...bundledPackages(made).map((path) => packageOf(lock, path)),
    ...(existsSync(shim) ? await goModules(shim) : []),
  ];
  return [...problems, ...differences(bill.components, there)];
}

function differences(said: readonly Component[], there: readonly Component[]): string[] {
  const key = (component: Component) => JSON.stringify(component);
  const [inBill, inDist] = [new Set(said.map(key)), new Set(there.map(key))];
  return [
    ...there
      .filter((one) => !inBill.has(key(one)))
      .map((one) => `${one['bom-ref']} is in dist and not in the bill as it is`),
    ...said.filter((one) => !inDist.has(key(one))).map((one) => `${one['bom-ref']} is in the bill and not in dist`),
  ];
}

/** Rules of the format that a reader relies on. */
export function formProblems(bill: Bill): string[] {
  const problems: string[] = [];
  if (bill.bomFormat !== 'CycloneDX' || bill.specVersion !== '1.6') problems.push('it is no CycloneDX 1.6');
  if (!/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(bill.serialNumber))
    problems.push('its serialNumber is no UUID');
  const refs = bill.components.map((one) => one['bom-ref']);
  if (new Set(refs).size !== refs.length) problems.push('two components have one bom-ref');
  for (const { ref, dependsOn } of bill.dependencies) {
    const unknown = [ref, ...dependsOn].filter(
      (one) => !refs.includes(one) && one !== bill.metadata.component['bom-ref'],
    );
    problems.push(...unknown.map((one) => `it depends on ${one}, which is no component`));
  }
  for (const one of bill.components) {
    const digits = { 'SHA-256': 64, 'SHA-512': 128 };
    for (const { alg, content } of one.hashes ?? [])
      if (!/^[0-9a-f]+$/.test(content) || content.length !== digits[alg])
        problems.push(`${one.name} has a hash that is none`);
    if (one.type === 'library' && !one.purl) problems.push(`${one.name} has no purl`);
  }
  return problems;
}
