import { resourceByAlias } from '@plumb/cli/resources.ts';
import { parseRevision } from '@plumb/reconciler/api/presentation.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { editDistance, nearest } from '@plumb/schemas/project/validate-nearest.ts';
import { joinPath } from '@plumb/schemas/project/validate-path.ts';
import { labelKeyProblems, labelValueProblems } from '@plumb/schemas/selectors/label-rules.ts';
import { knownNames } from '../from-schema.ts';
import { anyText, mutatedText, repeated } from '../generate.ts';
import { type FuzzTarget, Wrong } from '../target.ts';

/** Names, as they stand in paths, labels and messages. */
export const names: FuzzTarget<string> = {
  name: 'names',
  make(dice) {
    if (dice.chance(0.1)) return repeated(dice, ['a', '-', '.', '/', ' ', 'A', '0', '[', '~', '%', 'instance']);
    return dice.chance(0.6) ? mutatedText(dice, dice.pick(knownNames)) : anyText(dice);
  },
  run(text) {
    labelKeyProblems(text);
    labelValueProblems(text);
    const meant = nearest(text, knownNames);
    const far = Math.max(1, Math.floor(text.length / 3));
    if (meant !== undefined && editDistance(text.toLowerCase(), meant.toLowerCase()) > far)
      return new Wrong(`means ${meant}`);
    if (!joinPath('spec', text).startsWith('spec')) return new Wrong('loses the path');
    if (shown(text).length > 90 || shown({ [text]: [text] }).length > 90) return new Wrong('shows more than it may');
    for (const read of [resourceByAlias, parseRevision])
      try {
        read(text);
      } catch (error) {
        if (!['UnknownKind', 'BadRequest'].includes((error as { reason?: string }).reason ?? '')) throw error;
      }
    return undefined;
  },
};
