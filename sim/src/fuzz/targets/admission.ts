import { admitNew, admitStatus } from '@plumb/reconciler/api/admission.ts';
import { parseJson } from '@plumb/reconciler/api/body/json.ts';
import { resourceOfKind } from '@plumb/reconciler/api/resource.ts';
import { encodeObject } from '@plumb/reconciler/store/object-codec.ts';
import { type Ambient, type KindDefinition, kinds, realAmbient } from '@plumb/schemas';
import { defaultServerLimits as limits } from '@plumb/schemas/limits/server.ts';
import { validateObject } from '@plumb/schemas/project/validate.ts';
import { immutableErrors } from '@plumb/schemas/project/validate-immutable.ts';
import { knownNames, objectOf } from '../from-schema.ts';
import { anyJson, mutatedJson } from '../generate.ts';
import { type FuzzTarget, Wrong } from '../target.ts';

interface Input {
  kind: KindDefinition;
  level: 'Strict' | 'Warn' | 'Ignore';
  text: string;
}

const ambient: Ambient = realAmbient();

/** Objects of every kind, valid and not. What is admitted must be valid once more when it is read again. */
export const admission: FuzzTarget<Input> = {
  name: 'admission',
  make(dice) {
    const kind = dice.pick(kinds);
    const whole = objectOf(dice, kind, dice.pick(['a', 'web-0', 'home']));
    const sent = dice.chance(0.02)
      ? anyJson(dice, knownNames)
      : dice.chance(0.7)
        ? mutatedJson(dice, whole, knownNames)
        : whole;
    return { kind, level: dice.pick(['Strict', 'Warn', 'Ignore']), text: JSON.stringify(sent) };
  },
  run({ kind, level, text }) {
    const resource = resourceOfKind(kind, undefined as never);
    const namespace = kind.scope === 'Namespaced' ? 'default' : undefined;
    const read = () => parseJson(Buffer.from(text), limits.jsonDepth).value;
    const { object } = admitNew(resource, read(), namespace, { level, limits }, ambient);
    const stored = JSON.parse(encodeObject(object)) as typeof object;
    const { status: _, ...sendable } = stored;
    const errors = validateObject(kind, sendable, { strictUnknown: true });
    if (errors.length > 0) return new Wrong(`stores what is not valid: ${JSON.stringify(errors)}`);
    if (immutableErrors(kind, stored, object).length > 0) return new Wrong('stores another value of a fixed field');
    admitStatus(resource, stored, read(), { level, limits });
    return object;
  },
  show: ({ kind, level, text }) => `${kind.kind} ${level} ${text}`,
};
