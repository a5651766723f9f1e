import { readManifests } from '@plumb/cli/manifests.ts';
import { kinds } from '@plumb/schemas';
import { stringify } from 'yaml';
import type { Dice } from '../../core/dice.ts';
import { knownNames, objectOf } from '../from-schema.ts';
import { deepText, mutatedJson, mutatedText, repeated, words } from '../generate.ts';
import type { FuzzTarget } from '../target.ts';

const SIGNS = [
  ...[
    '- ',
    ': ',
    '\n',
    '  ',
    '\t',
    '{',
    '}',
    '[',
    ']',
    ',',
    '#',
    '&a ',
    '*a',
    '|\n',
    '>\n',
    '"',
    "'",
    '---\n',
    '...\n',
  ],
  ...['? ', '!!str ', '!x ', '<<: *a\n', '%YAML 1.1\n', '1_0', '0x1F', '.inf', 'y', '017', '\u2028', '\0', 'a: ', 'a'],
];
const LAUGHS = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
  .split('')
  .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]`)
  .join('\n')}\n`;

/** The parser, a package, takes some microseconds for each byte; longer texts take as much longer, which a unit test watches. */
const MOST_CHARACTERS = 16_384;

/** Manifests as people write them. */
export const yaml: FuzzTarget<string> = {
  name: 'yaml',
  make: (dice) => manifest(dice).slice(0, MOST_CHARACTERS),
  run: (text) => readManifests(['-'], 'default', async () => Buffer.from(text)),
};

function manifest(dice: Dice): string {
  if (dice.chance(0.03))
    return dice.pick([LAUGHS, deepText(dice, dice.pick([50, 5_000])), `a: ${repeated(dice, SIGNS)}`]);
  if (dice.chance(0.05)) return Array.from({ length: 5_000 }, (_, i) => `${dice.pick(['a', `k${i}`])}: 1\n`).join('');
  if (dice.chance(0.3)) return words(dice, SIGNS, 20);
  const kind = dice.pick(kinds);
  const object = objectOf(dice, kind, 'a');
  const text = stringify(dice.chance(0.5) ? mutatedJson(dice, object, knownNames) : object);
  return dice.chance(0.5) ? mutatedText(dice, text, SIGNS) : text;
}
