/** Everything that is asked of both servers. */
import type { CorpusClass } from '../case.ts';
import { deletes } from './deletes.ts';
import { discovery } from './discovery.ts';
import { lists } from './lists.ts';
import { media } from './media.ts';
import { metadata } from './metadata.ts';
import { options } from './options.ts';
import { patches } from './patches.ts';
import { paths } from './paths.ts';
import { selectors } from './selectors.ts';
import { tables } from './tables.ts';
import { validation } from './validation.ts';
import { watches } from './watches.ts';
import { writes } from './writes.ts';

export const corpus: readonly CorpusClass[] = [
  ...[lists, watches, selectors, deletes],
  ...[writes, patches, options, metadata, validation, media, tables, paths, discovery],
];
