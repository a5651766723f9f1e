/** Every target; a new one is a file beside this and a line here. */
import type { FuzzTarget } from '../target.ts';
import { admission } from './admission.ts';
import { api } from './api.ts';
import { kubeconfig, watching } from './clients.ts';
import { fetcher, sources } from './fetching.ts';
import { frames, metadata } from './frames.ts';
import { json } from './json.ts';
import { msgpack } from './msgpack.ts';
import { names } from './names.ts';
import { patches } from './patches.ts';
import { protobuf } from './protobuf.ts';
import { qcow2 } from './qcow2.ts';
import { selectors } from './selectors.ts';
import { xdr } from './xdr.ts';
import { yaml } from './yaml.ts';

// biome-ignore lint/suspicious/noExplicitAny: each target makes the inputs that it takes
export const targets: readonly FuzzTarget<any>[] = [
  ...[selectors, names, json, patches, admission, protobuf],
  ...[yaml, msgpack, xdr, qcow2, fetcher, sources],
  ...[frames, metadata, kubeconfig, watching],
  ...[api],
];
