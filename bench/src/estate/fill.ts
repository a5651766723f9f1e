/** Fills a store with a settled estate, as fast as the store takes it. */
import { createHash } from 'node:crypto';
import { claimKeys } from '@plumb/reconciler/allocation/allocation-index.ts';
import { ensureDefaultNamespace } from '@plumb/reconciler/api/core/namespace.ts';
import { claimsOf } from '@plumb/reconciler/plan/allocation.ts';
import { keys } from '@plumb/reconciler/store/keys.ts';
import { encodeObject } from '@plumb/reconciler/store/object-codec.ts';
import { MAX_BATCH_KEYS, type Op, type Store } from '@plumb/reconciler/store/store.ts';
import { kindByName, type PlumbObject, realAmbient } from '@plumb/schemas';
import { Estate, type EstateOptions } from './estate.ts';

/** Batches that are waited for together: one transaction of the embedded store. */
const BATCHES = 64;

/**
 * Fills `store`, which is empty, with `hosts` hosts and `instances` running instances (root disk, address, port) and all
 * that they refer to: objects with their status, addresses, MACs, shares of hosts and credentials, exactly as the product
 * would have written them. A server that is started on it and meets agents whose hosts carry `estate.resourcesOn(host)` has
 * nothing to do and writes nothing. About 90,000 keys a second; an instance is three keys.
 */
export async function fillEstate(store: Store, options: EstateOptions | Estate): Promise<Estate> {
  const estate = options instanceof Estate ? options : new Estate(options);
  await ensureDefaultNamespace(store, realAmbient());
  let batch: Op[] = [];
  let waiting: Promise<unknown>[] = [];
  const flush = () => {
    if (batch.length > 0) waiting.push(store.commit({ preconditions: [], ops: batch }));
    batch = [];
  };
  for (const ops of entries(estate)) {
    if (batch.length + ops.length > MAX_BATCH_KEYS) flush();
    batch.push(...ops);
    if (waiting.length < BATCHES) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  flush();
  await Promise.all(waiting);
  return estate;
}

/** What belongs together, in the order in which it would have been made. */
function* entries(estate: Estate): Generator<Op[]> {
  for (const object of [...estate.common, ...estate.l2]) yield [putObject(object)];
  for (const l3 of estate.l3) {
    const { uid } = l3.metadata;
    yield [putObject(l3), put(keys.address(uid, l3.status!.dhcpAddress!), uid)];
  }
  for (let i = 0; i < estate.hosts; i++) {
    const name = estate.hostName(i);
    const sha256 = createHash('sha256').update(estate.credential(i)).digest('hex');
    const use = estate.hostUse(i);
    const ops = [putObject(estate.host(i)), put(keys.credential(name), JSON.stringify({ sha256 }))];
    if (use) ops.push(put(keys.hostAllocation(name), JSON.stringify(use)));
    yield ops;
  }
  for (let i = 0; i < estate.instances; i++) {
    const instance = estate.instance(i);
    const held = estate.allocation(i);
    const { uid } = instance.metadata;
    yield [putObject(instance), ...claimKeys(claimsOf(held)).map((key) => put(key, uid))];
  }
}

function putObject(object: PlumbObject): Op {
  const { name, namespace } = object.metadata;
  return put(keys.object(kindByName(object.kind)!.plural, namespace, name), encodeObject(object));
}

function put(key: string, value: string): Op {
  return { type: 'put', key, value };
}
