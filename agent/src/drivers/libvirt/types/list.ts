/** What makes, removes and finds each type of resource on a libvirt host: one line for each type. */
export { bridge } from './bridge.ts';
export { disk } from './disk.ts';
export { domain } from './domain.ts';
export { image } from './image.ts';
export { port } from './port.ts';
export { addressGroup as 'address-group', portFilter as 'port-filter', ruleset } from './security-group.ts';
export { seed } from './seed.ts';
export { subnet } from './subnet.ts';
