/** Everything that is asked of both servers. */
import type { CorpusClass } from '../case.ts';
import { again } from './again.ts';
import { builtin } from './builtin.ts';
import { deletes } from './deletes.ts';
import { discovery } from './discovery.ts';
import { lists } from './lists.ts';
import { media } from './media.ts';
import { metadata } from './metadata.ts';
import { options } from './options.ts';
import { patches } from './patches.ts';
import { paths } from './paths.ts';
import { projects } from './projects.ts';
import { selectors } from './selectors.ts';
import { tables } from './tables.ts';
import { validation } from './validation.ts';
import { watches } from './watches.ts';
import { writes } from './writes.ts';

/** Classes in which nothing differs but what the page lists: `npm test` holds the API to them. */
export const corpus: readonly CorpusClass[] = [
  ...[lists, watches, selectors, deletes, tables, media, discovery],
  ...[writes, patches, options, metadata, validation, projects, paths],
];

/** Recorded, and looked at with scripts/kube/differences.ts: what differs in them is to be mended or listed yet. */
export const ahead: readonly CorpusClass[] = [builtin, again];
