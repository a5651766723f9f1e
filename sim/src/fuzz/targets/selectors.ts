import { fieldRequirements } from '@plumb/schemas/selectors/fields.ts';
import { type Labels, labelSelector } from '@plumb/schemas/selectors/labels.ts';
import { mutatedText, words } from '../generate.ts';
import { type FuzzTarget, Wrong } from '../target.ts';

const SIGNS = ['=', '==', '!=', '!', '>', '<', ',', '(', ')', ' ', '\t', 'in', 'notin', '\\', ';', "'", '\0', '/', '.'];
const PARTS = ['a', 'app', 'x.y/z', 'tier', '-', '_', '5', '-5', '9223372036854775808', 'é', 'a'.repeat(64), ...SIGNS];
const SAMPLES = ['tier=web,env in (prod,test),!legacy', 'size>3,size<9', 'a notin ()', 'metadata.name=web-0,x!=y\\,z'];

const LABELS: (Labels | undefined)[] = [undefined, {}, { a: '', app: '5', tier: 'web', 'x.y/z': 'a' }];

/** Label and field selectors. A selector that is read must judge every set of labels. */
export const selectors: FuzzTarget<string> = {
  name: 'selectors',
  make: (dice) => (dice.chance(0.3) ? mutatedText(dice, dice.pick(SAMPLES), SIGNS) : words(dice, PARTS, 14)),
  run(text) {
    try {
      fieldRequirements(text);
    } catch (error) {
      // Most texts are no field selectors, and yet may be label selectors.
      if ((error as { reason?: string }).reason !== 'BadRequest') throw error;
    }
    const selects = labelSelector(text);
    if (selects === undefined) return text.trim() === '' ? undefined : new Wrong('selects everything');
    return LABELS.map((labels) => selects(labels));
  },
};
