import { resolve } from 'node:path';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import { SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import { describe, expect, test } from 'vitest';
import { parseAgentCommand } from './command-line.ts';

const common = ['--server', 'https://127.0.0.1:7443', '--token-file', 'token'];

function failure(...argv: string[]) {
  try {
    parseAgentCommand(argv);
  } catch (error) {
    return error;
  }
  throw new Error('it was accepted');
}

describe('libvirt', () => {
  test('the least', () => {
    const command = parseAgentCommand([...common, '--driver', 'libvirt', '--host', 'host-1']);
    expect(command).toEqual({
      server: 'https://127.0.0.1:7443',
      tokenFile: resolve('token'),
      dataDir: resolve('.plumb/agent'),
      registerZone: undefined,
      limits: defaultAgentLimits,
      sources: new SourceRules({ dataDir: resolve('.plumb/agent'), folders: [], sources: [] }),
      driver: { name: 'libvirt', host: 'host-1', socket: undefined, tunnelAddress: undefined },
    });
  });

  test('everything', () => {
    const more = ['--libvirt-socket', '/run/x', '--tunnel-address', '192.0.2.1', '--data-dir', '/d', '--register', 'z'];
    expect(parseAgentCommand([...common, '--driver', 'libvirt', '--host', 'h', ...more])).toMatchObject({
      dataDir: '/d',
      registerZone: 'z',
      driver: { socket: '/run/x', tunnelAddress: '192.0.2.1' },
    });
  });
});

describe.each(['libvirt', 'simulated'])('where images come from, %s', (driver) => {
  const parse = (...more: string[]) =>
    parseAgentCommand([...common, '--driver', driver, '--host', 'h', '--data-dir', '/srv/agent', ...more])?.sources;

  test('as often as needed', () => {
    const folders = ['--image-folder', '/srv/images', '--image-folder', '/srv/more/'];
    const sources = parse(...folders, '--image-source', '10.0.0.0/8', '--image-source', 'mirror.example');
    expect(sources).toMatchObject({ folders: ['/srv/images', '/srv/more'], dataDir: '/srv/agent', restricted: true });
    expect(sources?.namesHost('mirror.example')).toBe(true);
    expect(parse()).toMatchObject({ folders: [], restricted: false });
  });

  test('what can be no source, and secrets of the agent, are refused', () => {
    const argv = [...common, '--driver', driver, '--host', 'h', '--data-dir', '/srv/agent'];
    const wrong = ['--image-source', 'https://mirror.example', '--image-source', '10.0.0.0/33'];
    expect(failure(...argv, ...wrong, '--image-folder', '/srv/agent/images')).toMatchObject({
      reason: 'InvalidArguments',
      fields: [{ field: '--image-source' }, { field: '--image-source' }, { field: '--image-folder' }],
    });
  });
});

describe('simulated', () => {
  test('many hosts', () => {
    const more = ['--hosts', '3', '--prefix', 'lab', '--streams', '2', '--latency-ms', '1.5', '--failure-rate', '0.1'];
    const size = ['--seed', '9', '--cpus', '4', '--memory-mib', '512'];
    expect(parseAgentCommand([...common, '--driver', 'simulated', ...more, ...size])?.driver).toEqual({
      name: 'simulated',
      hosts: ['lab-0', 'lab-1', 'lab-2'],
      streams: 2,
      latencyMs: 1.5,
      failureRate: 0.1,
      seed: 9,
      cpus: 4,
      memoryMiB: 512,
    });
  });

  test('one host by name', () => {
    expect(parseAgentCommand([...common, '--driver', 'simulated', '--host', 'host-1'])?.driver).toMatchObject({
      hosts: ['host-1'],
      streams: 1,
      failureRate: 0,
    });
  });
});

test('help', () => {
  expect(parseAgentCommand(['--help'])).toBeUndefined();
});

test('everything that is wrong is named at once', () => {
  expect(failure('--driver', 'simulated', '--server', 'http://x', '--hosts', '0', '--failure-rate', '2')).toMatchObject(
    {
      reason: 'InvalidArguments',
      fields: [
        { field: '--server', message: 'must be of the form https://host:port, not http://x' },
        { field: '--token-file', message: 'is required' },
        { field: '--hosts', message: 'must be a whole number from 1 to 100000, not 0' },
        { field: '--failure-rate', message: 'must be a number from 0 to 1, not 2' },
      ],
    },
  );
});

test.each([
  [['--driver', 'libvirt'], '--host is required'],
  [['--driver', 'magic'], '--driver must be libvirt or simulated, not magic'],
  [['--driver', 'simulated', '--host', 'a', '--hosts', '2'], '--hosts and --host exclude each other'],
  [['--driver', 'simulated', '--colour', 'red'], '--colour'],
])('%j', (argv, part) => {
  expect(failure(...common, ...argv)).toMatchObject({ message: expect.stringContaining(part) });
});
