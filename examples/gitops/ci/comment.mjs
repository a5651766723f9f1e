/** One comment with the plan, written anew whenever the plan is another. Its first line is for the job that applies. */

/** GitHub takes 65,536 characters. */
const MOST_CHARACTERS = 60_000;
const MARK = /^<!-- plumb plan=(\S+) tree=(\S+) of=(\S+) -->/;

/** The comment's text. `of`: the folder, so that one repository may have several. */
export function planComment({ title, notes = [], plan, tree, of }) {
  const mark = `<!-- plumb plan=${plan.digest ?? 'none'} tree=${tree} of=${encodeURIComponent(of)} -->`;
  const text = `${plan.stdout}${plan.code === 1 ? plan.stderr : ''}`;
  return [mark, `### ${title}`, ...notes, fenced(text)].join('\n\n');
}

/** Text that Markdown shows as it is, whatever is in it. */
export function fenced(text) {
  const shown = cut(text.trimEnd());
  const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${shown}\n${fence}`;
}

function cut(text) {
  if (text.length <= MOST_CHARACTERS) return text;
  const kept = text.slice(0, text.lastIndexOf('\n', MOST_CHARACTERS) + 1);
  const lines = text.split('\n');
  const left = lines.length - kept.split('\n').length;
  // The sum is what people read first, and it is at the end.
  return `${kept}… ${left} more lines are in the log of the job …\n${lines.at(-1)}`;
}

/** What was shown on the change last: the comment, and what of it a later job compares. */
export async function shownOn(forge, number, of) {
  for (const { id, body } of await forge.comments(number)) {
    const [, digest, tree, folder] = MARK.exec(body) ?? [];
    if (folder === encodeURIComponent(of)) return { id, body, digest, tree };
  }
  return undefined;
}

/** One comment, however often it is said. */
export async function show(forge, number, of, body) {
  const shown = await shownOn(forge, number, of);
  if (!shown) await forge.comment(number, body);
  else if (shown.body !== body) await forge.editComment(number, shown.id, body);
}
