export * from './kinds/define.ts';
export * from './kinds/index.ts';
export * from './meta/ambient.ts';
export * from './meta/error.ts';
export * from './meta/object.ts';
export * from './meta/shown-url.ts';
export * from './resources/domain-change.ts';
export * from './resources/host-resources.ts';
export type { ResourceRef } from './resources/registry.ts';
