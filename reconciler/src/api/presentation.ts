/** In which form objects go out: as they are, as rows of a table, or their metadata alone. `Accept` says which. */
import { type Clock, terminal } from '@plumb/schemas';
import { messageOfKind } from '@plumb/schemas/protobuf/messages.ts';
import { decodeObject, objectText } from '../store/object-codec.ts';
import type { Entry } from '../store/store.ts';
import { badRequest } from './failure.ts';
import { PROTOBUF_TYPE } from './protobuf-reply.ts';
import type { ApiRequest } from './request.ts';
import type { Resource } from './resource.ts';

/** An object as the store has it. */
export type Shown = Pick<Entry, 'value' | 'revision'>;

export interface ListFacts {
  revision: number;
  /** Token for the next page. */
  continue?: string;
  /** How many it and those after it hold. */
  remaining?: number;
}

export interface Presentation {
  /** One object, as JSON text. */
  one(entry: Shown): string;
  /** As `one`, behind others of the same answer; the same, if absent. */
  next?(entry: Shown): string;
  list(entries: readonly Shown[], facts: ListFacts): string;
  /** One object as it stands in a list. */
  item(this: void, entry: Shown): string;
  /** What stands before and behind the items of a list that is sent in parts. */
  listEnds(revision: number): ListEnds;
  /** An object that is nothing but a revision, as bookmarks carry it. */
  bookmark(revision: number, annotations?: Record<string, string>): string;
}

export interface ListEnds {
  open: string;
  /** `token`: for the next page; `remaining`: how many it and those after it hold. */
  close(token: string | undefined, remaining?: number): string;
}

const META_VERSION = 'meta.k8s.io/v1';

type Form = 'object' | 'table' | 'old table' | 'metadata';

/** The presentation that the client prefers of those we have. Throws PlumbError `NotAcceptable`. */
export function presentationOf(request: ApiRequest, resource: Resource, clock: Clock): Presentation {
  const { form } = mediaOf(request.headers.accept ?? '', resource);
  if (form === 'object') return asObjects(resource);
  if (form === 'metadata') return asMetadata();
  const include = request.query.get('includeObject') || 'Metadata';
  if (include !== 'None' && include !== 'Metadata' && include !== 'Object') {
    throw badRequest(`includeObject must be one of None, Metadata, Object, but is ${JSON.stringify(include)}`);
  }
  return asTable(resource, clock, include, form === 'table' ? META_VERSION : 'meta.k8s.io/v1beta1');
}

/** In which form and encoding a client wants to have objects. */
export interface Media {
  form: Form;
  protobuf: boolean;
}

const forms = new Map<string, Media>();
/** Clients send a handful of different headers; who sends more does not make us keep them. */
const MAX_FORMS = 64;

/** What the client prefers of what there is of a resource. Throws PlumbError `NotAcceptable`. */
export function mediaOf(accept: string, { apiVersion, kind }: Pick<Resource, 'apiVersion' | 'kind'>): Media {
  const hasMessage = accept.includes(PROTOBUF_TYPE) && messageOfKind(apiVersion, kind) !== undefined;
  const key = `${hasMessage} ${accept}`;
  let media = forms.get(key);
  if (media === undefined) {
    media = parseAccept(accept, hasMessage);
    if (forms.size < MAX_FORMS) forms.set(key, media);
  }
  return media;
}

function parseAccept(accept: string, hasMessage: boolean): Media {
  if (accept.trim() === '') return { form: 'object', protobuf: false };
  for (const choice of accept.split(',')) {
    const [type = '', ...rest] = choice.split(';').map((part) => part.trim());
    const protobuf = type.toLowerCase() === PROTOBUF_TYPE;
    if (!protobuf && !['application/json', 'application/yaml', 'application/*', '*/*'].includes(type.toLowerCase()))
      continue;
    const parameters = new Map(rest.map((part) => part.split('=', 2) as [string, string]));
    const as = parameters.get('as');
    if (as === undefined) {
      if (protobuf && !hasMessage) continue;
      return { form: 'object', protobuf };
    }
    const version = parameters.get('v');
    if (parameters.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue;
    if (as === 'Table' && !protobuf) return { form: version === 'v1' ? 'table' : 'old table', protobuf };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { form: 'metadata', protobuf };
  }
  throw terminal(
    'NotAcceptable',
    `none of the accepted media types is served: ${accept.slice(0, 200)}; ask for application/json`,
  );
}

function asObjects(resource: Resource): Presentation {
  const { apiVersion, kind } = resource;
  return {
    one: objectText,
    list: (entries, facts) => listText(`${kind}List`, apiVersion, facts, entries.map(objectText)),
    item: objectText,
    listEnds: (revision) => listEnds(`"kind":"${kind}List","apiVersion":"${apiVersion}"`, 'items', revision),
    bookmark: (revision, annotations) => bookmarkText(apiVersion, kind, revision, annotations),
  };
}

function asMetadata(): Presentation {
  return {
    one: metadataText,
    list: (entries, facts) => listText('PartialObjectMetadataList', META_VERSION, facts, entries.map(metadataText)),
    item: metadataText,
    listEnds: (revision) =>
      listEnds(`"kind":"PartialObjectMetadataList","apiVersion":"${META_VERSION}"`, 'items', revision),
    bookmark: (revision, annotations) => bookmarkText(META_VERSION, 'PartialObjectMetadata', revision, annotations),
  };
}

function asTable(
  resource: Resource,
  clock: Clock,
  include: 'None' | 'Metadata' | 'Object',
  version: string,
): Presentation {
  const columns = JSON.stringify(resource.table.columns);
  const table = (rows: string[], metadata: string, definitions = columns) =>
    `{"kind":"Table","apiVersion":"${version}","metadata":${metadata},"columnDefinitions":${definitions},"rows":[${rows.join(',')}]}`;
  const own = (entry: Shown) =>
    entry.revision === 0 ? '{}' : JSON.stringify({ resourceVersion: String(entry.revision) });
  const row = (entry: Shown) => {
    const object = decodeObject(entry);
    const cells = JSON.stringify(resource.table.row(object, clock.now()));
    const full =
      include === 'None'
        ? ',"object":null'
        : `,"object":${include === 'Object' ? objectText(entry) : metadataText(entry)}`;
    return `{"cells":${cells}${full}}`;
  };
  return {
    one: (entry) => table([row(entry)], own(entry)),
    next: (entry) => table([row(entry)], own(entry), 'null'),
    list: (entries, facts) => table(entries.map(row), listMetadata(facts)),
    item: row,
    listEnds: (revision) =>
      listEnds(`"kind":"Table","apiVersion":"${version}","columnDefinitions":${columns}`, 'rows', revision),
    bookmark: (revision, annotations) => {
      const object = bookmarkText(META_VERSION, 'PartialObjectMetadata', revision, annotations);
      const cells = JSON.stringify(resource.table.columns.map(() => ''));
      return table([`{"cells":${cells},"object":${object}}`], JSON.stringify({ resourceVersion: String(revision) }));
    },
  };
}

function metadataText(entry: Shown): string {
  const { resourceVersion, ...others } = decodeObject(entry).metadata;
  const metadata = entry.revision === 0 ? others : { resourceVersion, ...others };
  return JSON.stringify({ kind: 'PartialObjectMetadata', apiVersion: META_VERSION, metadata });
}

function listText(kind: string, apiVersion: string, facts: ListFacts, items: string[]): string {
  return `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${listMetadata(facts)},"items":[${items.join(',')}]}`;
}

/** Its metadata comes last: only then is it known whether there is a next page. */
function listEnds(head: string, field: 'items' | 'rows', revision: number): ListEnds {
  return {
    open: `{${head},"${field}":[`,
    close: (token, remaining) =>
      `],"metadata":${listMetadata({ revision, ...(token === undefined ? {} : { continue: token }), ...(remaining === undefined ? {} : { remaining }) })}}`,
  };
}

function listMetadata(facts: ListFacts): string {
  const { revision, continue: token = '', remaining: remainingItemCount } = facts;
  return JSON.stringify({ resourceVersion: String(revision), continue: token, remainingItemCount });
}

function bookmarkText(
  apiVersion: string,
  kind: string,
  revision: number,
  annotations: Record<string, string> | undefined,
): string {
  const metadata = { resourceVersion: String(revision), annotations };
  return JSON.stringify({ kind, apiVersion, metadata });
}

/** For a watch: what is the same in every answer is said in the first one only. */
export function watchedAs(present: Presentation): Presentation {
  const { next } = present;
  if (!next) return present;
  let first = true;
  return {
    ...present,
    one(entry) {
      const text = first ? present.one(entry) : next(entry);
      first = false;
      return text;
    },
  };
}

/** A revision as clients send it back. Throws PlumbError `BadRequest`. */
export function parseRevision(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`resourceVersion ${JSON.stringify(text)} is not one that was given out`);
  return Number(text);
}
