export type * from './drivers/driver.ts';
