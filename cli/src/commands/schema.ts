import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { everyKind } from '@plumb/schemas/kinds/index.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { editorSchema, editorSchemaOf } from '@plumb/schemas/project/editor.ts';
import { type Command, parseCommand } from '../command.ts';
import { resourceByAlias } from '../resources.ts';

export const schema: Command = {
  asksNothing: true,
  usage: `plumb schema > plumb.schema.json          of manifests of every kind
plumb schema KIND > instance.schema.json   of one kind
plumb schema --folder FOLDER               one file for each kind, and all.json

An editor that reads YAML with JSON Schemas then completes fields and marks mistakes, for instance with this
first line in a manifest:
  # yaml-language-server: $schema=plumb.schema.json
`,
  async run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, { folder: { type: 'string' } });
    const folder = values.folder as string | undefined;
    const [word, ...more] = positionals;
    if (more.length > 0 || (word !== undefined && folder !== undefined))
      throw terminal('BadArgument', 'name one kind, or a folder with --folder, or neither');
    if (folder !== undefined) {
      await mkdir(folder, { recursive: true });
      const files = everyKind.map((kind) => [kind.singular, editorSchemaOf(kind)] as const);
      for (const [name, content] of [...files, ['all', editorSchema(everyKind)] as const]) {
        const file = join(folder, `${name}.json`);
        await writeFile(file, text(content));
        surroundings.out(`${file}\n`);
      }
      return 0;
    }
    const definition = word === undefined ? undefined : resourceByAlias(word).definition;
    if (word !== undefined && !definition)
      throw terminal('BadArgument', `${word} are not declared: there is no schema of them`);
    surroundings.out(text(definition ? editorSchemaOf(definition) : editorSchema(everyKind)));
    return 0;
  },
};

function text(content: object): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}
