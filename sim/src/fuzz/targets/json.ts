import { parseJson } from '@plumb/reconciler/api/body/json.ts';
import { anyJson, anyText, deepText, mutatedText, repeated } from '../generate.ts';
import { type FuzzTarget, isRefusal, Wrong } from '../target.ts';

const SIGNS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '"a":',
  '"a":1,',
  '\\',
  '\\"',
  '\\u0061',
  ' ',
  '0',
  '1e999',
  'true',
  '""',
];

/** Bodies in JSON: it counts fields by the text, so it must find those that stand twice, and no others. */
export const json: FuzzTarget<string> = {
  name: 'json',
  make(dice) {
    if (dice.chance(0.05)) return deepText(dice, dice.pick([1, 99, 100, 101, 10_000, 500_000]));
    if (dice.chance(0.1)) return repeated(dice, SIGNS);
    const text = JSON.stringify(anyJson(dice, ['a', 'b', '"', '\\', '\\"', 'a:b']));
    if (dice.chance(0.3)) return text;
    // A field once more, somewhere: often it fits.
    const field = `${JSON.stringify(dice.chance(0.5) ? 'a' : anyText(dice))}:${dice.pick(['1', '"x"', '{}', '[]'])},`;
    return dice.chance(0.6) ? text.replace('{"', `{${field}${field}"`) : mutatedText(dice, text, SIGNS);
  },
  run(text) {
    const { value, duplicates } = parseJson(Buffer.from(text), 100);
    if (duplicates.count < 0 || duplicates.paths.length !== Math.min(duplicates.count, 100))
      return new Wrong(`says ${duplicates.count} fields stand twice, and names ${duplicates.paths.length}`);
    const again = parseJson(Buffer.from(JSON.stringify(value)), 100);
    if (again.duplicates.count !== 0) return new Wrong('finds fields twice in what JSON.stringify wrote');
    const once = JSON.stringify(value).length === text.length;
    return once && duplicates.count > 0 ? new Wrong('finds fields twice where nothing was lost') : value;
  },
  allows: isRefusal,
};
