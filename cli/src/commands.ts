/** Every command that is a client of the API. What it consists of is loaded when it is run: starting is most of what it costs. */
import type { Command } from './command.ts';

export interface CommandEntry {
  /** One line for the list of commands. */
  summary: string;
  /** It writes: it goes on when the reader of its output has gone, since half of the work would be worse. */
  goesOnUnread?: true;
  load(): Promise<Command>;
}

/** Not for people: what completions of shells ask. */
export const COMPLETE = '__complete';

export const commands: Readonly<Record<string, CommandEntry>> = {
  plan: {
    summary: 'show what apply would do: the fields that change, and the steps on hosts with what each disturbs',
    load: async () => (await import('./commands/plan.ts')).plan,
  },
  apply: {
    summary: 'make what runs as declared, and wait until it is',
    goesOnUnread: true,
    load: async () => (await import('./commands/apply.ts')).apply,
  },
  diff: {
    summary: 'show what apply would change, field by field',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  get: {
    summary: 'show objects',
    load: async () => (await import('./commands/get.ts')).get,
  },
  describe: {
    summary: 'show objects with their conditions and events',
    load: async () => (await import('./commands/describe.ts')).describe,
  },
  wait: {
    summary: 'wait until objects are ready, gone, or have a condition',
    load: async () => (await import('./commands/wait.ts')).wait,
  },
  delete: {
    summary: 'delete objects, and wait until they are gone',
    goesOnUnread: true,
    load: async () => (await import('./commands/delete.ts')).remove,
  },
  events: {
    summary: 'show what happened to objects',
    load: async () => (await import('./commands/events.ts')).events,
  },
  drift: {
    summary: 'compare every instance with what really runs',
    load: async () => (await import('./commands/drift.ts')).drift,
  },
  flows: {
    summary: 'show what is under way, stuck or failed; retry or abandon it',
    load: async () => (await import('./commands/flows.ts')).flows,
  },
  git: {
    summary: 'have the repository of a GitSource looked at now',
    goesOnUnread: true,
    load: async () => (await import('./commands/git.ts')).git,
  },
  gitsource: {
    summary: 'approve a deletion that waits for a person',
    goesOnUnread: true,
    load: async () => (await import('./commands/git.ts')).git,
  },
  state: {
    summary: 'states of Terraform that the server keeps: versions, locks, going back',
    goesOnUnread: true,
    load: async () => (await import('./commands/state.ts')).state,
  },
  access: {
    summary: 'who you are and what you may do; a token, or a kubeconfig, for a ServiceAccount',
    load: async () => (await import('./commands/access.ts')).access,
  },
  'admin-token': {
    summary: "replace the administrator's token",
    goesOnUnread: true,
    load: async () => (await import('./commands/admin-token.ts')).adminToken,
  },
  authority: {
    summary: 'show the certificate authority, or replace it while everything runs',
    goesOnUnread: true,
    load: async () => (await import('./commands/authority.ts')).authority,
  },
  host: {
    summary: 'let a host in that lost its credential; say that one is off',
    load: async () => (await import('./commands/host.ts')).host,
  },
  'join-token': {
    summary: 'make, list and revoke the tokens with which hosts join',
    load: async () => (await import('./commands/join-token.ts')).joinToken,
  },
  orphans: {
    summary: 'what lives on hosts and belongs to no object: list it, remove it',
    load: async () => (await import('./commands/orphans.ts')).orphans,
  },
  init: {
    summary: 'write manifests to begin with, and what an editor needs to check them',
    load: async () => (await import('./commands/init.ts')).init,
  },
  contexts: {
    summary: 'list the contexts of the kubeconfig',
    load: async () => (await import('./commands/contexts.ts')).contexts,
  },
  completion: {
    summary: 'print the completion for bash, zsh or fish',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  schema: {
    summary: 'print the JSON Schema of manifests, for editors',
    load: async () => (await import('./commands/schema.ts')).schema,
  },
  version: {
    summary: 'print the version of this command and of the server',
    load: async () => (await import('./commands/version.ts')).version,
  },
  limits: {
    summary: 'print the limits of server and agent, their defaults, and what happens above',
    load: async () => (await import('./commands/limits.ts')).limits,
  },
};
