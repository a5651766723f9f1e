/**
 * What differs from run to run gets a name: uids, resourceVersions, times, tokens. Each value keeps one name through a case, so
 * that what was equal, or was not, still is. Nothing else is changed, and nothing is left out but managedFields.
 */
export class Names {
  readonly #uids = new Map<string, string>();
  readonly #versions = new Map<string, string>();

  body(value: unknown): unknown {
    return this.#value(value, '');
  }

  /** Of a header. */
  text(text: string): string {
    return text.replaceAll(UUID, (uid) => this.#uid(uid)).replaceAll(TIME, '<time>');
  }

  #value(value: unknown, key: string): unknown {
    if (typeof value === 'string') return this.#text(value, key);
    if (Array.isArray(value)) return value.map((item) => this.#value(item, ''));
    if (typeof value !== 'object' || value === null) return value;
    return this.#object(value as Record<string, unknown>);
  }

  #object(value: Record<string, unknown>): Record<string, unknown> {
    const made: Record<string, unknown> = {};
    if (value.type === 'BOOKMARK' && isRecord(value.object) && isRecord(value.object.metadata)) {
      // As far as the whole store has got, in which others write, too.
      const { resourceVersion, ...metadata } = value.object.metadata;
      const object = { ...value.object, metadata: { ...metadata, bookmark: shapeOf(String(resourceVersion)) } };
      return { ...value, object: this.#object(object) };
    }
    for (const [key, of] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (key === 'managedFields') continue;
      // Declared kinds come in any order there.
      if (key === 'resources' && value.kind === 'APIResourceList' && Array.isArray(of)) {
        made[key] = this.#value(of.toSorted(byName), key);
        continue;
      }
      // Of a list it is the revision of the whole store, in which others write, too.
      if (key === 'metadata' && isListMetadata(value, of)) made[key] = this.#listMetadata(of);
      else if (key === 'cells' && Array.isArray(of)) made[key] = of.map(cellOf);
      else if (key === 'metadata' && isGenerated(of)) made[key] = this.#object({ ...of, name: generatedName(of) });
      else made[key] = this.#value(of, key);
    }
    return made;
  }

  #listMetadata(metadata: Record<string, unknown>): Record<string, unknown> {
    const { resourceVersion, continue: token } = metadata;
    return {
      ...metadata,
      ...(typeof resourceVersion === 'string' ? { resourceVersion: shapeOf(resourceVersion) } : {}),
      ...(typeof token === 'string' && token !== '' ? { continue: '<token>' } : {}),
    };
  }

  #text(text: string, key: string): string {
    if (key === 'resourceVersion') return this.#version(text);
    if (key === 'age' || TIMES.has(key)) return text === '' ? '' : '<time>';
    return this.text(text)
      .replaceAll(/(resource version: )\d+(, current: )\d+/g, '$1<n>$2<n>')
      .replaceAll(/(in record \()\d+\)/g, '$1<n>)')
      .replaceAll(/(ResourceVersion in object meta: )\d+/g, '$1<n>');
  }

  #version(text: string): string {
    if (!/^[1-9]\d*$/.test(text)) return text;
    return this.#versions.getOrInsertComputed(text, () => `<version ${this.#versions.size + 1}>`);
  }

  #uid(text: string): string {
    return this.#uids.getOrInsertComputed(text, () => `<uid ${this.#uids.size + 1}>`);
  }
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const TIMES: ReadonlySet<string> = new Set(['creationTimestamp', 'deletionTimestamp', 'lastTransitionTime']);

/** Ages grow. */
function cellOf(cell: unknown): unknown {
  if (typeof cell !== 'string') return cell;
  return /^(\d+[smhdy])+$/.test(cell) ? '<age>' : cell.replaceAll(TIME, '<time>');
}

function isListMetadata(holder: Record<string, unknown>, metadata: unknown): metadata is Record<string, unknown> {
  return isRecord(metadata) && (Array.isArray(holder.items) || Array.isArray(holder.rows));
}

function isGenerated(metadata: unknown): metadata is Record<string, unknown> & { generateName: string; name: string } {
  return isRecord(metadata) && typeof metadata.generateName === 'string' && typeof metadata.name === 'string';
}

/** Five characters that were chosen at random. */
function generatedName({ generateName, name }: { generateName: string; name: string }): string {
  const rest = name.startsWith(generateName) ? name.slice(generateName.length) : undefined;
  return rest !== undefined && /^[a-z0-9]{5}$/.test(rest) ? `${generateName}<random>` : name;
}

function shapeOf(version: string): string {
  return /^[1-9]\d*$/.test(version) ? '<revision>' : version;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
