import { commonStatus, deletionProtection, name, nameRules } from '../meta/schema.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';

/** A branch, a tag, a full ref or a commit: git's rules for names (git check-ref-format), without what is a pattern to it. */
const REF = '^(?!.*(\\.\\.|@\\{|//|/\\.|\\.lock(/|$)|\\./|[./]$))[A-Za-z0-9_][A-Za-z0-9._/+@-]{0,199}$';
const PATH =
  '^(?!.*(^|/)\\.\\.?(/|$))(?!.*(^|/)\\.git(/|$))[^/\\\\\\u0000-\\u001f\\u007f][^\\\\\\u0000-\\u001f\\u007f]{0,511}$';

const count = (description: string) => ({ type: 'integer', minimum: 0, description }) as const;
const text = (description: string) => ({ type: 'string', description }) as const;

export const gitSource = defineKind({
  kind: 'GitSource',
  plural: 'gitsources',
  singular: 'gitsource',
  shortNames: ['gs'],
  scope: 'Namespaced',
  description:
    'Objects that are declared in a git repository: each commit is applied as a whole, as the ServiceAccount that is named here and with its rights only.',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['url'],
    properties: {
      url: {
        type: 'string',
        maxLength: 2048,
        pattern: '^(https|file)://[^\\s\\u0000-\\u001f\\u007f]+$',
        'x-plumb-sensitive': 'url',
        description:
          'The repository: https, or file below a folder that the operator of the server allows (plumb server --git-folder).',
      },
      ref: {
        type: 'string',
        default: 'main',
        pattern: REF,
        description: 'Branch, tag, full ref (refs/…) or the 40 hex digits of a commit.',
      },
      path: {
        type: 'string',
        pattern: PATH,
        description:
          'Folder in the repository whose manifests count, with all below it; with a kustomization in it, what kustomize makes of it. The whole repository, if absent.',
      },
      intervalSeconds: {
        type: 'integer',
        minimum: 10,
        maximum: 86400,
        default: 300,
        description: 'How often it is looked at; plumb git sync looks at once.',
      },
      suspend: { type: 'boolean', default: false, description: 'Nothing is fetched, applied or deleted.' },
      prune: {
        type: 'boolean',
        default: false,
        description:
          'Objects that a commit does not declare any more are deleted. A person is asked first (plumb gitsource approve) where it could be an accident.',
      },
      driftPolicy: {
        type: 'string',
        enum: ['Repair', 'Report'],
        default: 'Repair',
        description:
          'What becomes of objects that were changed by hand: they are made what the commit says, or it is only reported.',
      },
      atomic: {
        type: 'boolean',
        default: false,
        description:
          'If one of the objects does not become Ready within ten minutes, or cannot, all of them go back to what they were before the commit.',
      },
      serviceAccountName: {
        ...name,
        description:
          'ServiceAccount of the same project as which everything is read, applied and deleted. Without one nothing is allowed.',
      },
      deletionProtection,
      webhookSecretName: {
        ...nameRules.subdomain,
        description:
          'Secret of the same project whose value `token` signs webhooks of the git server: POST /hooks/git/PROJECT/NAME looks at once. Without it no webhook is heard.',
      },
      dependsOn: {
        type: 'array',
        maxItems: 32,
        'x-kubernetes-list-type': 'set',
        // The word means something else there.
        'x-plumb-terraform': false,
        items: name,
        description:
          'Names of other GitSources of the project that must be Ready before a commit of this one is applied.',
      },
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...commonStatus,
      revision: text('Commit whose objects are applied.'),
      source: {
        type: 'object',
        additionalProperties: false,
        description: 'Where that commit came from.',
        properties: {
          url: { ...text('Repository.'), 'x-plumb-sensitive': 'url' },
          ref: text('Branch, tag or ref.'),
          path: text('Folder in it.'),
        },
      },
      failedRevision: text('Commit that was put back because its objects did not become Ready; it is not tried again.'),
      inventory: {
        type: 'array',
        'x-kubernetes-list-type': 'atomic',
        items: { type: 'string' },
        description: 'What it has applied and not deleted: Kind/project/name, without project where there is none.',
      },
      drifted: {
        type: 'array',
        'x-kubernetes-list-type': 'atomic',
        items: { type: 'string' },
        description: 'What others have changed, as far as it is only reported.',
      },
      history: {
        type: 'array',
        maxItems: 10,
        'x-kubernetes-list-type': 'atomic',
        description: 'The last commits that were applied or put back, the newest first.',
        items: {
          type: 'object',
          additionalProperties: false,
          properties: {
            revision: text('Commit.'),
            time: text('When (RFC 3339, UTC).'),
            result: text('Applied, Healed, Returned or Pruned.'),
            written: count('Objects that were written.'),
          },
        },
      },
      pendingPrune: {
        type: 'object',
        additionalProperties: false,
        description: 'A deletion that waits for a person: plumb gitsource approve NAME.',
        properties: {
          digest: text('Names exactly this deletion.'),
          because: text('Why a person is asked.'),
          count: count('Objects that would go.'),
          objects: {
            type: 'array',
            'x-kubernetes-list-type': 'atomic',
            items: { type: 'string' },
            description: 'The first of them.',
          },
        },
      },
      deleting: {
        type: 'array',
        'x-kubernetes-list-type': 'atomic',
        items: { type: 'string' },
        description: 'What is being deleted: it was decided, by a person where one was asked.',
      },
      approvedPrune: text('Digest of the deletion that a person has approved.'),
    },
  },
  columns: [
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether everything is as the commit says.',
    },
    { name: 'Reason', path: 'status.conditions[Ready].reason', type: 'string', description: 'Why.' },
    { name: 'Revision', path: 'status.revision', type: 'string', description: 'Commit whose objects are applied.' },
    { name: 'URL', path: 'spec.url', type: 'string', description: 'The repository.', priority: 1 },
    {
      name: 'Message',
      path: 'status.conditions[Ready].message',
      type: 'string',
      description: 'In words.',
      priority: 1,
    },
  ],
  immutable: [],
  references: [],
  disruption: {},
  extraRights: ({ url, ref, path, serviceAccountName }: Record<string, unknown>) => [
    ...(typeof url === 'string' && /^file:/i.test(url)
      ? [{ verb: 'use', subresource: 'file', value: url, because: 'its url is a file of the server' }]
      : []),
    // It writes whatever the account may: so who names the account must be allowed to act as it.
    ...(typeof serviceAccountName === 'string'
      ? [
          {
            ...{
              verb: 'impersonate',
              group: '',
              resource: 'serviceaccounts',
              subresource: '',
              name: serviceAccountName,
            },
            ...{
              value: JSON.stringify([serviceAccountName, url, ref, path]),
              because: 'it acts as this ServiceAccount',
            },
          },
        ]
      : []),
  ],
});

export type GitSource = ObjectOf<typeof gitSource>;
