/** A context of kubeconfigs in any YAML. Who starts often reads most of them by `plain-yaml.ts` and does without this. */
import { parse } from 'yaml';
import { type Context, contextFrom, type KubeconfigFile } from './kubeconfig.ts';

/** As {@link contextFrom}. */
export function contextIn(files: readonly KubeconfigFile[], help: string, named?: string): Context {
  return contextFrom(files, help, named, parseQuietly);
}

/** The parser's own warnings and messages quote lines of the file, and these may be credentials. Throws what is to be kept. */
export function parseQuietly(text: string): unknown {
  return parse(text, { logLevel: 'error' });
}
