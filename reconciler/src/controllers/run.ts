/** Runs the controllers: one queue each, fed by what changed. */
import { PlumbError } from '@plumb/schemas';
import { restricted } from '../fleet/restricted.ts';
import type { FlowRecord } from '../flow/record.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { WorkQueue } from '../runtime/queue.ts';
import type { WorkNotes } from '../runtime/work-notes.ts';
import { pluralOf } from '../store/keys.ts';
import { boundedContext, boundedContributors, boundedProviders, boundedRules, type OnBreach } from './bounds.ts';
import { contributing } from './contributor.ts';
import type { Context } from './controller.ts';
import type { Survey } from './first-look.ts';
import { kindModules } from './index.ts';
import { type KindModule, providersOf } from './kind-module.ts';
import { OwnStates } from './own-state.ts';
import { restrictionOf } from './restriction.ts';
import { lookAtSetAside } from './set-aside.ts';
import { sharedStates } from './shared-states.ts';
import { dispatch } from './watch/dispatch.ts';

export interface Running {
  /** What controllers were made with: for endpoints that show or release flows. */
  context: Context;
  /** Starts nothing more and resolves when what runs has ended. */
  stop(): Promise<void>;
}

export interface RunOptions {
  context: Omit<Context, 'enqueue' | 'kinds' | 'providers' | 'contributors' | 'own' | 'unplaced' | 'strays'>;
  /** Has followed the cache since before it was loaded. */
  survey: Survey;
  /** Every kind that runs; all that there are, if absent. */
  kinds?: readonly KindModule[];
  metrics?: Metrics;
  /** What is worked on, for the next process. */
  notes?: WorkNotes | undefined;
  /** Told when a reconcile fails otherwise than the last time for that key; it is tried again in any case. */
  onError: (controller: string, key: string, error: PlumbError) => void;
  /** For tests: a kind that reads or wakes what it does not declare is told here. */
  onBreach?: OnBreach | undefined;
}

export function runControllers(options: RunOptions): Running {
  const { context: parts, survey, kinds = kindModules, metrics, notes, onError, onBreach } = options;
  const queues = new Map<string, WorkQueue>();
  const found = survey.end();
  const states = new OwnStates();
  const context: Context = {
    ...parts,
    fleet: restricted(parts.fleet, (host) => restrictionOf(parts, host)),
    unplaced: found.unplaced,
    strays: new Set(),
    kinds,
    providers: providersOf(kinds),
    contributors: contributing(kinds).map(({ contributor }) => contributor),
    own: (state) => states.get(state),
    enqueue(key, afterMs = 0) {
      queues.get(pluralOf(key))?.addAfter(key, afterMs);
    },
  };
  const { clock, random } = context.ambient;
  const said = new Map<string, string>();
  const { poisoned } = context.cache;
  const modules = onBreach ? kinds.map((module) => boundedRules(module, onBreach)) : kinds;
  const contexts = new Map(
    modules.map((module) => [module, onBreach ? boundedContext(module, context, onBreach) : context]),
  );
  if (onBreach) {
    const providers = boundedProviders(contexts);
    const contributors = boundedContributors(contexts);
    for (const own of [context, ...contexts.values()]) Object.assign(own, { providers, contributors });
  }
  for (const module of modules) states.begin(module.keeps ?? [], contexts.get(module)!, found);
  for (const module of modules) {
    const controller = module.controller(contexts.get(module)!);
    const part = `the ${controller.name} controller`;
    const queue = new WorkQueue({
      name: controller.name,
      concurrency: controller.concurrency,
      clock,
      random,
      async process(key) {
        const turn = notes?.begin(key);
        if (turn) await turn;
        try {
          const aside = poisoned.get(key);
          const again = await (aside ? lookAtSetAside(context, aside) : controller.reconcile(key));
          said.delete(key);
          poisoned.forgive(key, aside ? 'its deletion' : part);
          return again;
        } finally {
          notes?.end(key);
        }
      },
      onError(key, thrown) {
        const error = PlumbError.from(thrown, key);
        // Ours are conditions of the object; anything else is a fault that the object has brought to light.
        if (poisoned.get(key)) poisoned.note(key, 'its deletion', error);
        else if (error.reason === 'Internal') poisoned.note(key, part, error.cause ?? error);
        else poisoned.forgive(key, part);
        if (said.get(key) === error.message) return;
        said.set(key, error.message);
        onError(controller.name, key, error);
      },
    });
    if (metrics) queue.publish(metrics);
    queues.set(module.kind.plural, queue);
  }
  if (metrics) publishFlows(context, metrics);
  const end = dispatch(context, contexts);
  // Who waits hears of a change after those whom it wakes.
  states.begin(sharedStates, context, found);
  for (const key of found.now) context.enqueue(key);
  return {
    context,
    async stop() {
      end();
      states.stop();
      await Promise.all([...queues.values()].map((q) => q.stop()));
    },
  };
}

function publishFlows(context: Context, metrics: Metrics): void {
  const count = (test: (record: FlowRecord) => boolean) =>
    [...context.journal.all()].filter((f) => test(f.record)).length;
  for (const direction of ['forward', 'back', 'failed'] as const)
    metrics.readGauge('plumb_flows', 'Flows that are written down.', { direction }, () =>
      count((record) => record.direction === direction),
    );
  metrics.readGauge('plumb_flows_stuck', 'Flows that can go neither forward nor back.', {}, () =>
    count((record) => record.stuck !== undefined),
  );
}
