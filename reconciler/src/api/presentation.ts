/** In which form objects go out: as they are, as rows of a table, or their metadata alone. `Accept` says which. */
import { API_GROUP, type Clock, terminal } from '@plumb/schemas';
import { shown } from '@plumb/schemas/project/shown.ts';
import { messageOfKind } from '@plumb/schemas/protobuf/messages.ts';
import { decodeObject, objectText } from '../store/object-codec.ts';
import type { Entry } from '../store/store.ts';
import { badRequest } from './failure.ts';
import { type Encoding, negotiate, notAcceptable, type Target } from './media.ts';
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

const META_GROUP = 'meta.k8s.io';
const META_VERSIONS: readonly string[] = ['v1', 'v1beta1'];

type Form = 'object' | 'table' | 'metadata' | 'metadata list';

/** The presentation of one object that the client prefers of those we have. Throws PlumbError `NotAcceptable`. */
export function presentationOf(request: ApiRequest, resource: Resource, clock: Clock): Presentation {
  const { form, version } = mediaOf(request.headers.accept ?? '', resource);
  if (form === 'object') return asObjects(resource);
  if (form === 'metadata') return asMetadata(version);
  if (form === 'metadata list')
    throw terminal('NotAcceptable', 'you requested PartialObjectMetadataList, but the requested object is not a list');
  return tableFor(request, resource, clock, version);
}

/** As {@link presentationOf}, of a list. */
export function listPresentationOf(request: ApiRequest, resource: Resource, clock: Clock): Presentation {
  const { form, version } = mediaOf(request.headers.accept ?? '', resource);
  if (form === 'object') return asObjects(resource);
  if (form === 'metadata list') return asMetadata(version);
  if (form === 'metadata')
    throw terminal('NotAcceptable', 'you requested PartialObjectMetadata, but the requested object is a list');
  return tableFor(request, resource, clock, version);
}

function tableFor({ query }: ApiRequest, resource: Resource, clock: Clock, version: string): Presentation {
  const include = query.get('includeObject') || 'Metadata';
  if (include !== 'None' && include !== 'Metadata' && include !== 'Object') {
    const mistake = `Invalid value: ${shown(include)}: must be 'Metadata', 'Object', 'None', or empty`;
    throw badRequest(`Unable to convert to Table as requested: includeObject: ${mistake}`);
  }
  return asTable(resource, clock, include, version);
}

/** In which form and encoding a client wants to have objects. */
export interface Media {
  form: Form;
  encoding: Encoding;
  /** Group and version of what is no object as it is. */
  version: string;
}

const forms = new Map<string, Media>();
/** Clients send a handful of different headers; who sends more does not make us keep them. */
const MAX_FORMS = 64;

/** What the client prefers of what there is of a resource. Throws PlumbError `NotAcceptable`. */
export function mediaOf(accept: string, { apiVersion, kind }: Pick<Resource, 'apiVersion' | 'kind'>): Media {
  const hasMessage = messageOfKind(apiVersion, kind) !== undefined;
  const key = `${hasMessage} ${accept}`;
  let media = forms.get(key);
  if (media === undefined) {
    media = parseAccept(accept, hasMessage);
    if (forms.size < MAX_FORMS) forms.set(key, media);
  }
  return media;
}

function parseAccept(accept: string, hasMessage: boolean): Media {
  const found = negotiate(
    accept,
    (encoding, target) => {
      if (target === undefined) return encoding !== 'protobuf' || hasMessage;
      const form = formOf(target);
      return form !== undefined && (form !== 'table' || encoding !== 'protobuf');
    },
    true,
  );
  if (!found) throw notAcceptable();
  const { encoding, target } = found;
  if (!target) return { form: 'object', encoding, version: '' };
  return { form: formOf(target)!, encoding, version: `${target.group}/${target.version}` };
}

function formOf({ group, version, kind }: Target): Form | undefined {
  if (group !== META_GROUP || !META_VERSIONS.includes(version)) return undefined;
  if (kind === 'Table') return 'table';
  if (kind === 'PartialObjectMetadata') return 'metadata';
  return kind === 'PartialObjectMetadataList' ? 'metadata list' : undefined;
}

function asObjects(resource: Resource): Presentation {
  const { apiVersion, kind, group } = resource;
  const empty: EmptyToken = group === API_GROUP ? '' : omitEmpty;
  return {
    one: objectText,
    list: (entries, facts) => listText(`${kind}List`, apiVersion, facts, entries.map(objectText), empty),
    item: objectText,
    listEnds: (revision) => listEnds(`"kind":"${kind}List","apiVersion":"${apiVersion}"`, 'items', revision, empty),
    bookmark: (revision, annotations) => bookmarkText(apiVersion, kind, revision, annotations),
  };
}

function asMetadata(version: string): Presentation {
  const item = (entry: Shown) => metadataText(entry, version);
  return {
    one: item,
    list: (entries, facts) => listText('PartialObjectMetadataList', version, facts, entries.map(item)),
    item,
    listEnds: (revision) =>
      listEnds(`"kind":"PartialObjectMetadataList","apiVersion":"${version}"`, 'items', revision, omitEmpty),
    bookmark: (revision, annotations) => bookmarkText(version, 'PartialObjectMetadata', revision, annotations),
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
        : `,"object":${include === 'Object' ? objectText(entry) : metadataText(entry, version)}`;
    return `{"cells":${cells}${full}}`;
  };
  return {
    one: (entry) => table([row(entry)], own(entry)),
    next: (entry) => table([row(entry)], own(entry), 'null'),
    list: (entries, facts) => table(entries.map(row), listMetadata(facts, omitEmpty)),
    item: row,
    listEnds: (revision) =>
      listEnds(`"kind":"Table","apiVersion":"${version}","columnDefinitions":${columns}`, 'rows', revision, omitEmpty),
    bookmark: (revision, annotations) => {
      const object = bookmarkText(version, 'PartialObjectMetadata', revision, annotations);
      const cells = JSON.stringify(resource.table.columns.map(() => ''));
      return table([`{"cells":${cells},"object":${object}}`], JSON.stringify({ resourceVersion: String(revision) }));
    },
  };
}

function metadataText(entry: Shown, version: string): string {
  const { resourceVersion, ...others } = decodeObject(entry).metadata;
  const metadata = entry.revision === 0 ? others : { resourceVersion, ...others };
  return JSON.stringify({ kind: 'PartialObjectMetadata', apiVersion: version, metadata });
}

/** Whether a list says that there is no next page, or nothing. */
type EmptyToken = '' | undefined;

/** Types of Go leave out what is empty. */
const omitEmpty: EmptyToken = undefined;

function listText(kind: string, apiVersion: string, facts: ListFacts, items: string[], empty?: EmptyToken): string {
  return `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${listMetadata(facts, empty)},"items":[${items.join(',')}]}`;
}

/** Its metadata comes last: only then is it known whether there is a next page. */
function listEnds(head: string, field: 'items' | 'rows', revision: number, empty: EmptyToken): ListEnds {
  return {
    open: `{${head},"${field}":[`,
    close: (token, remaining) =>
      `],"metadata":${listMetadata({ revision, ...(token === undefined ? {} : { continue: token }), ...(remaining === undefined ? {} : { remaining }) }, empty)}}`,
  };
}

function listMetadata({ revision, continue: token, remaining }: ListFacts, empty: EmptyToken): string {
  return JSON.stringify({
    resourceVersion: String(revision),
    continue: token || empty,
    remainingItemCount: remaining,
  });
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
