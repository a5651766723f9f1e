/** Every type of host resource: one line for each. Their order is derived, see registry.ts. */
export { bridge } from './bridge.ts';
export { disk } from './disk.ts';
export { domain } from './domain.ts';
export { image } from './image.ts';
export { port } from './port.ts';
export { seed } from './seed.ts';
export { subnet } from './subnet.ts';
