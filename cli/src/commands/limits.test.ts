import { agentLimitDefinitions } from '@plumb/schemas/limits/agent.ts';
import { serverLimitDefinitions } from '@plumb/schemas/limits/server.ts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { run } from '../testing/run.ts';

test('every limit is printed with its default, its range, and what happens above it', async () => {
  const { code, out } = await run(['limits']);
  expect(code).toBe(0);
  for (const [name, limit] of Object.entries({ ...serverLimitDefinitions, ...agentLimitDefinitions })) {
    expect(out).toContain(`${name} = ${limit.default}   (${limit.minimum} to ${limit.maximum})`);
    expect(out).toContain(limit.above);
  }
});

test('the JSON Schema takes what the programs take, and refuses what they refuse', async () => {
  const { out } = await run(['limits', '--json-schema']);
  const validate = new Ajv2020({ strict: true }).compile(JSON.parse(out));
  expect(validate({ $schema: 'limits.schema.json', server: { joinBytes: 2048 }, agent: {} })).toBe(true);
  expect(validate({ server: { joinBytes: 1 } })).toBe(false);
  expect(validate({ server: { joinByte: 2048 } })).toBe(false);
  expect(validate({ servers: {} })).toBe(false);
});
