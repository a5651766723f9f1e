import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { everyKind } from '@plumb/schemas/kinds/index.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { editorSchema } from '@plumb/schemas/project/editor.ts';
import { type Command, parseCommand } from '../command.ts';
import { STARTING } from '../starting-manifests.ts';

/** In a folder of its own: of the one that it stands in, every .json is read as a manifest. */
const SCHEMA = '.schemas/plumb.json';

export const init: Command = {
  asksNothing: true,
  usage: `plumb init [FOLDER]

Writes manifests to begin with into FOLDER (here, if none is named): a zone, a host, networks, an image, a size and an instance, and
the JSON Schema by which an editor completes and checks them. What is there already is never written over.
Then: edit them, plumb plan -f FOLDER, plumb apply -f FOLDER.
`,
  async run(argv, surroundings) {
    const { positionals } = parseCommand(argv, {});
    const [folder = '.', ...more] = positionals;
    if (more.length > 0) throw terminal('BadArgument', 'name one folder');
    await mkdir(join(folder, dirname(SCHEMA)), { recursive: true });
    const head = `# yaml-language-server: $schema=${SCHEMA}\n`;
    const files: [name: string, text: string][] = [
      ...Object.entries(STARTING).map(([name, text]): [string, string] => [name, head + text]),
      [SCHEMA, `${JSON.stringify(editorSchema(everyKind), null, 2)}\n`],
    ];
    for (const [name, text] of files) {
      const made = await writeNew(join(folder, name), text);
      surroundings.out(`${join(folder, name)} ${made ? 'written' : 'is there already, and stays'}\n`);
    }
    return 0;
  },
};

/** Whether it was not there. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw terminal('NotWritten', `${path} cannot be written: ${message}`);
  }
}
