/**
 * A driver that hangs or fails where it is told to. It runs with the sources of any commit: `hosts.ts` is copied with it into an old
 * one, so it uses only what every version has.
 */
import { PlumbError } from '@plumb/schemas';

/** `hang after` and `fail after`: the host has done it, and the one who asked does not hear so. */
export type Fate = 'hang' | 'hang after' | 'fail' | 'fail terminal';

export interface Rule {
  id: string;
  verb: 'ensure' | 'remove';
  kind: string;
  /** Whose; absent: of the first owner that was not met before the rule was made. */
  owner?: string;
  fate: Fate;
  /** How often it is obeyed; always, if absent. */
  times?: number;
  /** How often it was met. */
  met: number;
}

export interface Resource {
  kind: string;
  id: string;
  owner: string;
}

export class Rules {
  readonly #rules = new Map<string, Rule>();
  readonly #known = new Set<string>();

  add(rule: Omit<Rule, 'met'>): void {
    this.#rules.set(rule.id, { ...rule, met: 0 });
  }

  remove(id: string): void {
    this.#rules.delete(id);
  }

  get(id: string): Rule | undefined {
    return this.#rules.get(id);
  }

  /** Rules without an owner were meant for this one, who is on another agent's host; the next is for somebody else. */
  know(owner: string): void {
    this.#known.add(owner);
    for (const [id, rule] of this.#rules) if (rule.owner === undefined) this.#rules.delete(id);
  }

  /** The rule that the step meets. */
  meet(verb: Rule['verb'], { kind, owner }: Resource): Rule | undefined {
    for (const rule of this.#rules.values()) {
      if (rule.verb !== verb || rule.kind !== kind) continue;
      if (rule.owner === undefined && !this.#known.has(owner)) rule.owner = owner;
      if (rule.owner !== owner) continue;
      rule.met++;
      return rule.met > (rule.times ?? rule.met) ? undefined : rule;
    }
    return undefined;
  }
}

interface AnyDriver {
  ensure(resource: never, attention?: never): Promise<void>;
  remove(resource: never, attention?: never): Promise<void>;
}

/** The driver, which obeys the rules before it does anything. */
export function unruly<T extends AnyDriver>(driver: T, rules: Rules): T {
  const step =
    (verb: Rule['verb']) =>
    async (resource: Resource, attention: unknown): Promise<void> => {
      const rule = rules.meet(verb, resource);
      const what = `${verb} ${resource.kind}`;
      if (rule?.fate === 'hang') return new Promise(() => {});
      if (rule?.fate === 'fail' || rule?.fate === 'fail terminal')
        throw new PlumbError({
          reason: 'SimulatedFailure',
          message: `the simulated host was told to fail at: ${what}`,
          retry: rule.fate === 'fail' ? 'retry' : 'terminal',
        });
      await driver[verb](resource as never, attention as never);
      if (rule?.fate === 'hang after') return new Promise(() => {});
    };
  return new Proxy(driver, {
    get(target, name) {
      if (name === 'ensure' || name === 'remove') return step(name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
