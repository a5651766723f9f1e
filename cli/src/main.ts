/** The `plumb` command: everything of it that is a client of the API. */
import { PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { COMPLETE, type CommandEntry, commands } from './commands.ts';
import { complain } from './failure.ts';
import { realSurroundings, type Surroundings } from './surroundings.ts';

/** Commands of which the program's entry takes care. */
const programs = { server: 'run the control plane', agent: 'run the agent of a host' };

/** Runs a command and returns its exit code; 1, and for diff and arguments 2, on errors, which are told. */
export async function runCli(argv: string[], surroundings: Surroundings = realSurroundings()): Promise<number> {
  const [first = 'help', ...rest] = commandFirst(argv);
  const word = first === '--version' ? 'version' : first;
  if (first === '--version') rest.unshift('--client');
  if (['help', '--help', '-h'].includes(word)) return help(rest[0], surroundings);
  try {
    if (word === COMPLETE) return await (await import('./commands/completion.ts')).complete.run(rest, surroundings);
    const command = known(word) ?? (await unknown(word));
    if (rest.includes('--help') || rest.includes('-h')) return await help(word, surroundings);
    return await (await command.load()).run(rest, surroundings);
  } catch (thrown) {
    const error = PlumbError.from(thrown, `plumb ${word}`);
    complain(surroundings, error);
    return error.reason === 'BadArgument' || word === 'diff' ? 2 : 1;
  }
}

/** Options of every command that people also write before it, as with kubectl: `plumb --context lab get hosts`. */
const LEADING = /^(--kubeconfig|--context|--namespace|-n)(=.*)?$/s;

/** Pure. The arguments with the command first, and behind it the options that stood before it. */
export function commandFirst(argv: readonly string[]): string[] {
  let at = 0;
  for (let match = LEADING.exec(argv[at] ?? ''); match; match = LEADING.exec(argv[at] ?? ''))
    at += match[2] === undefined ? 2 : 1;
  const [command, ...rest] = argv.slice(at);
  return command === undefined ? [...argv] : [command, ...argv.slice(0, at), ...rest];
}

/** Whether the command goes on when the reader of its output has gone. */
export function goesOnUnread(word: string | undefined): boolean {
  return known(word)?.goesOnUnread === true;
}

function known(word: string | undefined): CommandEntry | undefined {
  return word !== undefined && Object.hasOwn(commands, word) ? commands[word] : undefined;
}

async function unknown(word: string): Promise<never> {
  const { nearest } = await import('@plumb/schemas/project/validate-nearest.ts');
  const words = [...Object.keys(commands), ...Object.keys(programs)];
  const meant = nearest(word, words);
  throw terminal(
    'BadArgument',
    `there is no command ${JSON.stringify(word)}${meant ? `: did you mean ${meant}?` : `; there are ${words.join(', ')}`}`,
  );
}

const ACCESS = `  --kubeconfig FILE   how to reach the server; else KUBECONFIG, else .plumb/kubeconfig
  --context NAME      another context of it than the current one
`;

async function help(word: string | undefined, surroundings: Surroundings): Promise<number> {
  const command = await known(word)?.load();
  if (command) {
    surroundings.out(command.asksNothing ? command.usage : `${command.usage}\n${ACCESS}`);
    return 0;
  }
  const line = (name: string, summary: string) => `  ${name.padEnd(11)} ${summary}\n`;
  surroundings.out(
    `plumb COMMAND …\n\n${Object.entries(commands)
      .map(([name, { summary }]) => line(name, summary))
      .join('')}\n${Object.entries(programs)
      .map(([name, summary]) => line(name, summary))
      .join('')}\nplumb COMMAND --help says more.\n`,
  );
  return 0;
}
