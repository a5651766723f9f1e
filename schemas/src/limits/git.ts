import type { LimitDefinitions } from './define.ts';

const held = 'The commit is not applied, and its GitSource says why.';

/** Bounds of `plumb server` on git repositories that others declare. */
export const gitLimitDefinitions = {
  gitSeconds: {
    description: 'How long one look at a repository may take: asking for the commit, fetching, rendering.',
    above: 'The look is ended and tried again later.',
    default: 120,
    minimum: 5,
    maximum: 3600,
  },
  gitLooksAtOnce: {
    description: 'Looks at repositories that run at the same time.',
    above: 'Further ones wait for their turn.',
    default: 2,
    minimum: 1,
    maximum: 64,
  },
  gitRepositoryMiB: {
    description: 'Size of what is fetched of a repository.',
    above: held,
    default: 256,
    minimum: 1,
    maximum: 16_384,
  },
  gitMemoryMiB: {
    description: 'Memory of each program that looks at a repository.',
    above: held,
    default: 512,
    minimum: 128,
    maximum: 16_384,
  },
  gitCommits: {
    description:
      'Commits of the history that are fetched. Of an older one nobody knows whether the new one descends from it: deletions wait for a person then.',
    above: 'Older ones are not fetched.',
    default: 200,
    minimum: 1,
    maximum: 100_000,
  },
  gitFiles: {
    description: 'Files of a commit below the path; with kustomize, of the whole repository.',
    above: held,
    default: 10_000,
    minimum: 10,
    maximum: 1_000_000,
  },
  gitFolderDepth: {
    description: 'Folders within each other.',
    above: held,
    default: 32,
    minimum: 1,
    maximum: 256,
  },
  gitFileBytes: {
    description: 'Size of one manifest.',
    above: held,
    default: 3 * 1024 * 1024,
    minimum: 1024,
    maximum: 64 * 1024 * 1024,
  },
  gitManifestBytes: {
    description: 'Size of all manifests of a commit, and of what they say as JSON.',
    above: held,
    default: 24 * 1024 * 1024,
    minimum: 4096,
    maximum: 256 * 1024 * 1024,
  },
  gitHookBytes: {
    description: 'Size of what a git server sends to a webhook.',
    above: 'The webhook is refused with 413.',
    default: 256 * 1024,
    minimum: 1024,
    maximum: 16 * 1024 * 1024,
  },
  gitHooksAtOnce: {
    description: 'Webhooks that are read at the same time: who sends them has shown nothing yet.',
    above: 'Further ones are refused with 429.',
    default: 16,
    minimum: 1,
    maximum: 1024,
  },
  gitObjectsAtOnce: {
    description: 'Objects of a commit that are written in one transaction of the store.',
    above: 'The commit is written in several, and put back from a record if one of them fails.',
    default: 100,
    minimum: 1,
    maximum: 100,
  },
  gitObjects: {
    description: 'Objects of one GitSource.',
    above: held,
    default: 5000,
    minimum: 1,
    maximum: 100_000,
  },
} as const satisfies LimitDefinitions;
