/** Objects of manifests: not judged by their kinds yet, but every one has a kind, a version and a name. */

import { readYaml } from '@plumb/schemas/manifests/documents.ts';
import { decodeText } from '@plumb/schemas/manifests/text.ts';
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import { unusable } from './failures.ts';
import type { GitLimits, RenderedObject } from './look.ts';

/** Throws terminal `CommitRefused`. `files`: what they are called, and what is in them. */
export function objectsOf(files: Iterable<readonly [string, Buffer]>, limits: GitLimits): RenderedObject[] {
  const objects: RenderedObject[] = [];
  const seen = new Map<string, string>();
  let bytes = 0;
  for (const [file, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    for (const [value, at] of valuesOf(file, content)) {
      bytes += JSON.stringify(value).length;
      if (bytes > limits.gitManifestBytes)
        throw unusable(
          `${file}: what the manifests say has more than ${limits.gitManifestBytes} bytes (gitManifestBytes)`,
        );
      const object = objectOf(value, at);
      const { namespace = '', name } = object.metadata;
      const which = `${object.apiVersion} ${object.kind} ${namespace}/${name}`;
      const other = seen.get(which);
      if (other !== undefined) throw unusable(`${at} declares ${object.kind} ${name}, which ${other} declares, too`);
      seen.set(which, at);
      objects.push(object);
      if (objects.length > limits.gitObjects)
        throw unusable(`it has more than ${limits.gitObjects} objects (gitObjects)`);
    }
  return objects;
}

function* valuesOf(file: string, content: Buffer): Generator<readonly [unknown, string]> {
  let documents: ReturnType<typeof readYaml>;
  try {
    documents = readYaml(decodeText(content, file), file);
  } catch (thrown) {
    if (thrown instanceof PlumbError) throw unusable(thrown.message);
    throw unusable(`${file} cannot be read: ${thrown instanceof RangeError ? 'it lies too deep' : 'it is no YAML'}`);
  }
  for (const { value, locate } of documents) {
    const at = locate([]);
    const { kind, items } = (value ?? {}) as { kind?: unknown; items?: unknown };
    if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items))
      for (const item of items) yield [item, at];
    else yield [value, at];
  }
}

function objectOf(value: unknown, at: string): RenderedObject {
  const { apiVersion, kind, metadata } = isRecord(value) ? value : {};
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isRecord(metadata))
    throw unusable(`${at} is no object: it needs apiVersion, kind and metadata`);
  const { name, namespace } = metadata;
  if (typeof name !== 'string' || name === '') throw unusable(`${at} has no metadata.name`);
  if (namespace !== undefined && typeof namespace !== 'string') throw unusable(`${at}: metadata.namespace is no text`);
  return value as RenderedObject;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
