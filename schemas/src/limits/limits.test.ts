import { expect, it } from 'vitest';
import { agentLimitDefinitions, defaultAgentLimits } from './agent.ts';
import { limitsFileSchema, parseLimitsFile } from './file.ts';
import { defaultServerLimits, serverLimitDefinitions } from './server.ts';

it('gives the defaults of what is not set', () => {
  expect(parseLimitsFile('{"server": {"joinBytes": 2048}}')).toEqual({
    server: { ...defaultServerLimits, joinBytes: 2048 },
    agent: defaultAgentLimits,
  });
});

it('says everything that is wrong at once', () => {
  expect(() => parseLimitsFile('{"server": {"joinBytes": 1, "joinByte": 1, "__proto__": 1}}')).toThrow(
    /server\.joinBytes must be a whole number from 1024 to .*server\.joinByte is no limit.*server\.__proto__ is no limit/,
  );
  expect(() => parseLimitsFile('{"servers": {}}')).toThrow(/not servers/);
  expect(() => parseLimitsFile('{')).toThrow(/is not JSON/);
  expect(() => parseLimitsFile('[]')).toThrow(/must be an object/);
});

it('declares defaults within their ranges, with sentences', () => {
  for (const limit of Object.values({ ...serverLimitDefinitions, ...agentLimitDefinitions })) {
    expect(limit.default).toBeGreaterThanOrEqual(limit.minimum);
    expect(limit.default).toBeLessThanOrEqual(limit.maximum);
    expect(limit.description).toMatch(/\.$/);
    expect(limit.above).toMatch(/\.$/);
  }
});

it('has a JSON Schema that allows both sections and nothing else', () => {
  expect(limitsFileSchema()).toMatchObject({
    additionalProperties: false,
    properties: { server: { properties: { joinBytes: { default: 4096 } } }, agent: {} },
  });
});
