/** The page that says who wakes whom and who reads what, as Markdown: from the references of the kinds and from their modules. */
import { kinds } from '@plumb/schemas';
import { markdownTable } from '@plumb/schemas/project/reference-fields.ts';
import { readsOf } from './bounds.ts';
import { contributing } from './contributor.ts';
import type { KindModule } from './kind-module.ts';
import { ANY, PLACED, type WatchRule } from './watch/rules.ts';

export function watchPage(modules: readonly KindModule[]): string {
  const sections = [
    '<!-- This page is written by `node scripts/build-docs.ts` from the references of the kinds and from `reconciler/src/controllers/*/index.ts`. -->',
    '# Who wakes whom',
    'Each kind has a controller, which looks at one object when it is woken, and brings it nearer to its declaration. It reads what is listed here and nothing else: tests hold it to that. An arrow: a change of the one wakes the other; dotted: when who uses it comes or goes, 200 ms later, once for all of them.',
    `\`\`\`mermaid\nflowchart LR\n${edges(modules).join('\n')}\n\`\`\``,
    ...modules.flatMap((module) => section(module, modules)),
  ];
  return `${sections.join('\n\n')}\n`;
}

function edges(modules: readonly KindModule[]): string[] {
  const found = new Set<string>();
  for (const { kind, watches, contributes } of modules) {
    for (const { kind: target } of kind.references) {
      found.add(`  ${target} --> ${kind.kind}`);
      found.add(`  ${kind.kind} -.-> ${target}`);
    }
    for (const { kind: other } of placedKinds(modules)) if (contributes) found.add(`  ${kind.kind} --> ${other.kind}`);
    for (const rule of watches) {
      const from = sourceOf(rule);
      if (from !== kind.kind) found.add(`  ${from.replaceAll(' ', '-')} --> ${kind.kind}`);
    }
  }
  return [...found];
}

function placedKinds(modules: readonly KindModule[]): readonly KindModule[] {
  return modules.filter(({ placed }) => placed !== undefined);
}

function sourceOf(rule: WatchRule): string {
  if (rule.source === 'claim') return 'what objects hold';
  if (rule.source === 'host') return 'hosts';
  if (rule.source === 'live') return 'what lives on hosts';
  if (rule.of === PLACED) return 'any placed object';
  return rule.of === ANY ? 'any object' : rule.of;
}

function section(module: KindModule, modules: readonly KindModule[]): string[] {
  const { kind, watches, alsoReads = [], keeps = [], writes, placed } = module;
  const referred = [...new Set(kind.references.map((reference) => reference.kind))];
  const users = kinds.filter((other) => other.references.some((reference) => reference.kind === kind.kind));
  const rows = [
    [kind.kind, 'it is declared otherwise'],
    ...(referred.length === 0
      ? []
      : [[referred.join(', '), 'one that it refers to comes, goes or is found otherwise']]),
    ...(users.length === 0
      ? []
      : [
          [
            users.map((user) => user.kind).join(', '),
            'one came to refer to it, refers to it no more, or does so on another host',
          ],
        ]),
    ...watches.map((rule) => [sourceOf(rule), rule.when]),
    ...(placed ? contributing(modules) : []).map(({ kind: other, contributor }) => [other.kind, contributor.when]),
  ];
  const also = alsoReads.map(({ kind: name, because }) => `${name === ANY ? 'any kind' : name} (${because})`);
  const reads = [...readsOf(module)].filter((name) => !alsoReads.some((a) => a.kind === name || a.kind === ANY));
  return [
    `## ${kind.kind}`,
    markdownTable(['Woken by', 'When'], rows),
    [
      reads.length === 0 ? '' : `Reads: ${reads.join(', ')}.`,
      also.length === 0 ? '' : `Reads without being woken by it: ${also.join('; ')}.`,
      keeps.length === 0 ? '' : `Remembers: ${keeps.map(({ name }) => name).join('; ')}.`,
      `Writes: ${writes.join(', ')}.`,
    ]
      .filter((line) => line !== '')
      .join('\n\n'),
  ];
}
