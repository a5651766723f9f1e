/** What makes, removes and finds each type of resource on a libvirt host: one line for each type. */
export { bridge } from './bridge.ts';
export { disk } from './disk.ts';
export { domain } from './domain.ts';
export { image } from './image.ts';
export { port } from './port.ts';
export { seed } from './seed.ts';
export { subnet } from './subnet.ts';
