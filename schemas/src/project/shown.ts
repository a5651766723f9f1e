/** Values as they may stand in a message: JSON, cut while it is written, so that a large value costs no more than a small one. */

/** Characters of a value in a message. */
const MAX_SHOWN = 80;

/** At most about {@link MAX_SHOWN} characters of the value as JSON. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  let text = '';
  const full = () => text.length > MAX_SHOWN;
  const write = (part: unknown): void => {
    if (typeof part === 'string') {
      // Escaping makes a character longer, never shorter.
      text += part.length > MAX_SHOWN ? JSON.stringify(part.slice(0, MAX_SHOWN + 1)) : JSON.stringify(part);
    } else if (Array.isArray(part)) {
      text += '[';
      for (let i = 0; i < part.length && !full(); i++) {
        if (i > 0) text += ',';
        write(part[i]);
      }
      text += ']';
    } else if (typeof part === 'object' && part !== null) {
      text += '{';
      let first = true;
      for (const key in part) {
        if (full()) break;
        if (!Object.hasOwn(part, key)) continue;
        if (!first) text += ',';
        first = false;
        write(key);
        text += ':';
        write((part as Record<string, unknown>)[key]);
      }
      text += '}';
    } else text += JSON.stringify(part) ?? 'null';
  };
  write(value);
  return withoutCredentials(full() ? `${wellFormed(text.slice(0, MAX_SHOWN))}…` : text);
}

/** Not the first half of a character alone. */
function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed().replace(/\ufffd$/, '');
}

/** A URL may carry a password before its host; one that is cut there has lost the sign that tells. */
function withoutCredentials(text: string): string {
  return text.includes('://') ? text.replace(/:\/\/[^/@\s"]*(@|…$)/g, '://…$1') : text;
}
