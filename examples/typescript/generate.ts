/**
 * Writes TypeScript classes for every resource of the provider to .gen/.
 *
 *   terraform providers schema -json | node generate.ts
 */
import { text } from 'node:stream/consumers';
import { generateProviderBindingsFromSchema } from '@cdktf/provider-generator';

const schema = JSON.parse(await text(process.stdin));
await generateProviderBindingsFromSchema(`${import.meta.dirname}/.gen`, schema);
