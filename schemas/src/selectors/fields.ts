/** Field selectors: `metadata.name=web-0,status.phase!=Active`. Kubernetes' grammar (apimachinery, package fields). */
import { terminal } from '../meta/error.ts';
import { shown } from '../project/shown.ts';

export interface FieldRequirement {
  field: string;
  /** Whether the field must have the value, or must not. */
  equal: boolean;
  value: string;
}

/** What the selector requires. Throws terminal `BadRequest` when it cannot be read. Linear in the text. */
export function fieldRequirements(text: string): FieldRequirement[] {
  return termsOf(text)
    .filter((term) => term !== '')
    .map((term) => requirementOf(term, text));
}

/** The parts between commas that no backslash precedes. */
function termsOf(text: string): string[] {
  const terms: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      terms.push(text.slice(from, at));
      from = at + 1;
    }
  }
  terms.push(text.slice(from));
  return terms;
}

function requirementOf(term: string, text: string): FieldRequirement {
  // The first operator from the left, the longer one first.
  const [, field, operator] = /^([^=!]*(?:!(?!=)[^=!]*)*)(!=|==|=)/.exec(term) ?? [];
  if (field === undefined || operator === undefined) {
    throw terminal('BadRequest', `invalid selector: '${quoted(text)}'; can't understand '${quoted(term)}'`);
  }
  const value = unescaped(term.slice(field.length + operator.length));
  return { field, equal: operator !== '!=', value };
}

function unescaped(value: string): string {
  if (!/[\\=,]/.test(value)) return value;
  let plain = '';
  for (let at = 0; at < value.length; at++) {
    const sign = value[at]!;
    if (sign === '=' || sign === ',') {
      throw terminal('BadRequest', `invalid field selector: unescaped character in value: ${sign}`);
    }
    if (sign !== '\\') {
      plain += sign;
      continue;
    }
    const escaped = value[++at];
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=') {
      throw terminal('BadRequest', `invalid field selector: invalid escape sequence: ${sign}${escaped ?? ''}`);
    }
    plain += escaped;
  }
  return plain;
}

/** As it stands between quotes in a sentence: it may be anything. */
function quoted(text: string): string {
  return shown(text).slice(1, -1);
}
