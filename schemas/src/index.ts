export * from './kinds/define.ts';
export * from './kinds/index.ts';
export * from './meta/ambient.ts';
export * from './meta/error.ts';
export * from './meta/object.ts';
export * from './meta/shown-url.ts';
export * from './wire/domain-change.ts';
export * from './wire/host-resources.ts';
