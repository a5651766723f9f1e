import { storeConformance } from './conformance.ts';
import { MemoryStore } from './memory.ts';

storeConformance('memory', async (options) => {
  const store = new MemoryStore(options);
  return { store, dispose: () => store.close() };
});
