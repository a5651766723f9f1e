import { storeConformance } from '../conformance.ts';
import { MemoryStore } from '../memory.ts';
import { KeyRing } from './key-ring.ts';
import { SealedStore } from './sealed-store.ts';

/** Some of what the suite writes is encrypted, some not: both stand in the same batches and lists. */
storeConformance('sealed', async (options) => {
  const disk = new MemoryStore(options);
  const text = KeyRing.make();
  const open = () => new SealedStore(disk, KeyRing.parse(text, 'the file'), ['/a/', '/b/']);
  // What is beneath stays open: it remembers nothing.
  return { store: open(), reopen: async () => open(), dispose: () => disk.close() };
});
