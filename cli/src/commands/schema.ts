import { kinds } from '@plumb/schemas/kinds/index.ts';
import { editorSchema } from '@plumb/schemas/project/editor.ts';
import { type Command, parseCommand } from '../command.ts';

export const schema: Command = {
  asksNothing: true,
  usage: `plumb schema > plumb.schema.json

An editor that reads YAML with JSON Schemas then completes fields and marks mistakes, for instance with this
first line in a manifest:
  # yaml-language-server: $schema=plumb.schema.json
`,
  async run(argv, surroundings) {
    parseCommand(argv, {});
    surroundings.out(`${JSON.stringify(editorSchema(kinds), null, 2)}\n`);
    return 0;
  },
};
