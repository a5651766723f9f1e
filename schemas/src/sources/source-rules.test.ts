import { describe, expect, test } from 'vitest';
import { parseAddress, parseBlock } from './address.ts';
import { isSource, SourceRules, type SourceRulesInit } from './source-rules.ts';

const OWN = ['203.0.113.9', '172.17.0.1', '2001:db8::9'].map((text) => parseBlock(text)!);

function judge(
  address: string,
  { host = 'images.example', port = 443, ...init }: SourceRulesInit & { host?: string; port?: number } = {},
) {
  return new SourceRules(init).judge(host, port, parseAddress(address)!, OWN);
}

describe('without an option', () => {
  test.each([
    ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '169.254.169.254', '224.0.0.1', '239.255.255.250'],
    ...['255.255.255.255', '240.0.0.1', '192.0.0.192', '100.100.100.200', '168.63.129.16'],
    ...['::1', '::', 'fe80::1', 'febf::1', 'ff02::1', 'fec0::1', 'fd00:ec2::254', 'fd20:ce::254', '100::1'],
    ...['::ffff:127.0.0.1', '::ffff:169.254.169.254', '::127.0.0.1', '64:ff9b::127.0.0.1', '64:ff9b::169.254.169.254'],
    ...['64:ff9b:1::10.0.0.1', '2002:7f00:1::1', '2002:a9fe:a9fe::', '2001:0:4136:e378:8000:63bf:80ff:fffe'],
    ...['2001:db8::5efe:127.0.0.1', '64:ff9b::203.0.113.9', '2002:cb00:7109::'],
    ...['203.0.113.9', '172.17.0.1', '2001:db8::9', '::ffff:203.0.113.9'],
  ])('%s is refused', (address) => {
    expect(judge(address)).toBe('refused');
  });

  test.each([
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    'fd12:3456::1',
    '64:ff9b::10.0.0.1',
    '2002:a00:1::',
  ])('%s is allowed, and nothing is said of it', (address) => {
    expect(judge(address)).toBe('discreet');
  });

  test.each(['8.8.8.8', '198.51.100.1', '2606:4700::1', '64:ff9b::8.8.8.8', '172.32.0.1'])(
    '%s is allowed',
    (address) => {
      expect(judge(address)).toBe('open');
    },
  );

  test.each([22, 25, 111, 389, 445, 1023])('port %i belongs to the system', (port) => {
    expect(judge('8.8.8.8', { port })).toBe('refused');
    expect(judge('8.8.8.8', { port, sources: ['8.8.8.0/24'] })).toBe('open');
  });

  test.each([80, 443, 1024, 8443, 65535])('port %i is a web port', (port) => {
    expect(judge('8.8.8.8', { port })).toBe('open');
  });
});

describe('with an option, only what it names', () => {
  test.each([
    ['127.0.0.1', ['127.0.0.0/8'], 'open'],
    ['::ffff:127.0.0.1', ['127.0.0.0/8'], 'open'],
    ['203.0.113.9', ['203.0.113.9'], 'open'],
    ['10.0.0.1', ['10.0.0.0/24'], 'open'],
    ['10.0.1.1', ['10.0.0.0/24'], 'refused'],
    ['8.8.8.8', ['10.0.0.0/24'], 'refused'],
    ['8.8.8.8', ['mirror.example'], 'refused'],
    ['2001:db8::1', ['2001:db8::/32', '10.0.0.0/8'], 'open'],
    ['64:ff9b::10.0.0.1', ['64:ff9b::/96'], 'open'],
    ['64:ff9b::127.0.0.1', ['64:ff9b::/96'], 'refused'],
    ['64:ff9b::127.0.0.1', ['64:ff9b::/96', '127.0.0.0/8'], 'open'],
    ['2002:7f00:1::', ['::/0'], 'refused'],
  ] as const)('%s, where %j are named: %s', (address, sources, verdict) => {
    expect(judge(address, { sources })).toBe(verdict);
  });

  test.each(['Images.Example', 'images.example.'])('a name is named whatever its address is: %s', (host) => {
    expect(judge('127.0.0.1', { host, sources: ['images.example'] })).toBe('open');
  });

  test.each(['a.images.example', 'images.example.org', 'example'])('%s is another name', (host) => {
    expect(judge('10.0.0.1', { host, sources: ['images.example'] })).toBe('refused');
  });
});

test.each([
  ...['10.0.0.0/8', '127.0.0.1', '::1', '2001:db8::/32', 'images.example', 'Images.Example.', 'localhost', 'a_b.c'],
])('%j is a source', (source) => {
  expect(isSource(source)).toBe(true);
});

test.each(['', ' ', '10.0.0.0/33', 'https://images.example', 'images.example:80', 'a..b', '-a.b', '*.example', 'a/8'])(
  '%j is no source',
  (source) => {
    expect(isSource(source)).toBe(false);
  },
);
