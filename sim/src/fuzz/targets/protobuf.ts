import { reread } from '@plumb/reconciler/api/body/json.ts';
import { decodeProtobuf } from '@plumb/reconciler/api/body/protobuf.ts';
import { anyBytes, mutatedBytes } from '../generate.ts';
import type { FuzzTarget } from '../target.ts';

const SAMPLES = [
  // A namespace with labels, annotations, a finalizer and an owner, as client-go writes it.
  'azhzAAoPCgJ2MRIJTmFtZXNwYWNlEnoKYAoFdHlwZWQSABoAIgAqADIAOABCCAiA4s+qBhAAWgYKAWESAWJiBgoBbhIBb2ofCglOYW1lc3BhY2UaB2RlZmF1bHQiA3UtMSoCdjEwAXIQZXhhbXBsZS5jb20va2VlcBIMCgprdWJlcm5ldGVzGggKBkFjdGl2ZRoAIgA=',
  // Options of a deletion.
  'azhzAAoTCgJ2MRINRGVsZXRlT3B0aW9ucxIQCAASACIKQmFja2dyb3VuZBoAIgA=',
].map((text) => Buffer.from(text, 'base64'));

/** Bodies in protobuf. */
export const protobuf: FuzzTarget<Buffer> = {
  name: 'protobuf',
  make(dice) {
    const bytes = mutatedBytes(dice, dice.pick(SAMPLES));
    if (dice.chance(0.05))
      return Buffer.concat([bytes, Buffer.alloc(dice.between(0, 100_000), dice.pick([0x0b, 0x0a, 0xff]))]);
    return dice.chance(0.05) ? Buffer.concat([Buffer.from('k8s\0'), anyBytes(dice, 64)]) : bytes;
  },
  run: (bytes) => reread(decodeProtobuf(bytes), 100, 3_000_000),
  show: (bytes) => bytes.toString('base64'),
};
