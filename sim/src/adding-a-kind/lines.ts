/** What the made-up kind needs outside of its own files: a line in a list of each package, and nothing else. */
export const lines: Readonly<Record<string, string>> = {
  'schemas/src/kinds/list.ts': "export { type Banner, banner } from './banner.ts';",
  'reconciler/src/controllers/list.ts': "export { bannerModule } from './banner/index.ts';",
  'agent/src/drivers/libvirt/types/list.ts': "export { banner } from './banner.ts';",
};
