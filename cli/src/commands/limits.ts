import { limitsFileSchema } from '@plumb/schemas/limits/file.ts';
import { limitsText } from '@plumb/schemas/project/reference-limits.ts';
import { type Command, parseCommand } from '../command.ts';

export const limits: Command = {
  asksNothing: true,
  usage: `plumb limits [--json-schema]

  --json-schema   print the JSON Schema of the file that "plumb server --limits FILE" and
                  "plumb agent --limits FILE" take, for editors
`,
  async run(argv, surroundings) {
    const { values } = parseCommand(argv, { 'json-schema': { type: 'boolean' } });
    surroundings.out(values['json-schema'] ? `${JSON.stringify(limitsFileSchema(), null, 2)}\n` : limitsText());
    return 0;
  },
};
