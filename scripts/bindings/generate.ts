/**
 * Writes TypeScript classes to a folder: `node scripts/bindings/generate.ts cdktf|cdktn FOLDER < schema.json`. A process of its own,
 * since the makers look at the environment of theirs, and cannot be kept from writing what they think to stderr.
 */
import { text } from 'node:stream/consumers';
import type { SchemaJson } from './schema-json.ts';

type Make = (folder: string, schema: SchemaJson) => Promise<void>;

const [maker = '', folder = ''] = process.argv.slice(2);
if (maker !== 'cdktf' && maker !== 'cdktn') throw new Error(`${maker} is no maker of classes: take cdktf or cdktn`);
const schema = JSON.parse(await text(process.stdin)) as SchemaJson;
const { generateProviderBindingsFromSchema } = (await import(`@${maker}/provider-generator`)) as Record<string, Make>;
await generateProviderBindingsFromSchema!(folder, schema);
