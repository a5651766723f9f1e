import { terminal } from '@plumb/schemas/meta/error.ts';
import { type Command, parseCommand } from '../command.ts';

/**
 * Each asks `plumb __complete -- WORD…` for the words that may stand last: one a line, and nothing but the exit code 3 where it is to be a
 * file. What the shell has typed reaches plumb as arguments, and what plumb says is compared as text: nothing of it is run.
 */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_plumb() {
  local found
  COMPREPLY=()
  # The words as typed: bash takes kind/name and a=b apart otherwise.
  local line="\${COMP_LINE:0:COMP_POINT}" words
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  found=$(plumb __complete -- "\${words[@]:1}" 2>/dev/null)
  if [ $? -eq 3 ]; then
    compopt -o default
    return
  fi
  local IFS=$'\\n'
  COMPREPLY=($found)
  [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == */ ]] && compopt -o nospace
}
complete -F _plumb plumb
`,
  zsh: `#compdef plumb
_plumb() {
  local found
  found=$(plumb __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if [ $? -eq 3 ]; then
    _files
    return
  fi
  [[ -n "$found" ]] && compadd -- "\${(@f)found}"
}
compdef _plumb plumb
`,
  fish: `function __plumb_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (plumb __complete -- $words[2..-1] 2>/dev/null)
  if test $status -eq 3
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c plumb -f -a '(__plumb_complete)'
`,
};

export const completion: Command = {
  asksNothing: true,
  usage: `plumb completion bash|zsh|fish

Prints what a shell needs to complete commands, options, kinds, names and contexts:
  bash   . <(plumb completion bash)                  in ~/.bashrc
  zsh    . <(plumb completion zsh)                   in ~/.zshrc, behind compinit
  fish   plumb completion fish > ~/.config/fish/completions/plumb.fish
`,
  async run(argv, surroundings) {
    const { positionals } = parseCommand(argv, {});
    const [shell = '', ...more] = positionals;
    if (more.length > 0 || !Object.hasOwn(SCRIPTS, shell))
      throw terminal('BadArgument', `say for which shell: ${Object.keys(SCRIPTS).join(', ')}`);
    surroundings.out(SCRIPTS[shell]!);
    return 0;
  },
};

/** Exit code: files are to be offered. */
const FILES = 3;

/** `plumb __complete -- WORD…`: for the scripts above. It never fails: who types is not to be disturbed. */
export const complete: Command = {
  asksNothing: true,
  usage: 'plumb __complete -- WORD…\n',
  async run(argv, surroundings) {
    const words = argv[0] === '--' ? argv.slice(1) : argv;
    try {
      const { candidates, valuesFor } = await import('../complete.ts');
      const found = await candidates(words, valuesFor(surroundings));
      if (found === undefined) return FILES;
      surroundings.out(found.map((word) => `${word}\n`).join(''));
    } catch {
      // No server, no kubeconfig, no such kind.
    }
    return 0;
  },
};
