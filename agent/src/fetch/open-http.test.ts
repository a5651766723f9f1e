import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createRawServer, type Server as RawServer } from 'node:net';
import type { PlumbError } from '@plumb/schemas';
import { parseBlock } from '@plumb/schemas/sources/address.ts';
import { SourceRules, type Verdict } from '@plumb/schemas/sources/source-rules.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { discreetly, refused } from './failures.ts';
import type { HttpSurroundings } from './open-http.ts';
import { sourceOpener } from './open-source.ts';

const servers: (Server | RawServer)[] = [];
let asked: string[];
let names: Record<string, string[][]>;
let log: string[];

beforeEach(() => {
  asked = [];
  names = {};
  log = [];
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

/** A server on a loopback address; returns `host:port`. */
async function serve(listener: RequestListener, address = '127.0.0.1'): Promise<string> {
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.host}${request.url}`);
    listener(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return `${address}:${(server.address() as AddressInfo).port}`;
}

const portOf = (at: string) => Number(at.slice(at.lastIndexOf(':') + 1));

/** Addresses of a name as one resolution after the other finds them; the last stays. */
async function resolve(host: string): Promise<string[]> {
  asked.push(`resolve ${host}`);
  const found = names[host];
  if (found === undefined) throw new Error('ENOTFOUND');
  return found.length > 1 ? found.shift()! : found[0]!;
}

async function fetchText(url: string, sources: string[] = ['127.0.0.1'], around: Partial<HttpSurroundings> = {}) {
  const open = sourceOpener({
    rules: new SourceRules({ sources }),
    log: (line) => log.push(line),
    http: { resolve, ...around },
  });
  const source = await open(url, AbortSignal.timeout(15_000));
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.chunks) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  } finally {
    source.close();
  }
}

const failureOf = (url: string, ...more: [string[]?, Partial<HttpSurroundings>?]): Promise<PlumbError> =>
  fetchText(url, ...more).then(
    (text) => {
      throw new Error(`it was fetched: ${text}`);
    },
    (error) => error as PlumbError,
  );

test('what is named is fetched', async () => {
  const at = await serve((_request, response) => response.end('an image'));
  expect(await fetchText(`http://${at}/a?b=c`)).toBe('an image');
  expect(asked).toEqual([`GET ${at}/a?b=c`]);
});

test('a name is resolved once, and its judged address is the one that is connected to', async () => {
  const at = await serve((_request, response) => response.end('inside'), '127.0.0.2');
  // At first an address that is allowed, and on which nothing listens; at each later look the one inside.
  names['rebind.example'] = [['127.0.0.1'], ['127.0.0.2']];
  const failure = await failureOf(`http://rebind.example:${portOf(at)}/`);
  expect(failure).toMatchObject({ reason: 'ImageUnavailable' });
  expect(asked).toEqual(['resolve rebind.example']);
});

test('of several addresses those that are allowed are tried, one after the other', async () => {
  const at = await serve((_request, response) => response.end('an image'));
  const inside = await serve((_request, response) => response.end('inside'), '127.0.0.2');
  names['many.example'] = [['127.0.0.2', '127.0.0.3', '127.0.0.1']];
  const sources = ['127.0.0.1', '127.0.0.3'];
  expect(await fetchText(`http://many.example:${portOf(at)}/`, sources)).toBe('an image');
  expect(await failureOf(`http://many.example:${portOf(inside)}/`, sources)).toMatchObject({
    reason: 'ImageUnavailable',
  });
});

describe('refused in the same words, and not asked', () => {
  const NONE: string[] = [];
  test.each<[string, string, string[]]>([
    ['loopback', 'http://127.0.0.1:PORT/', NONE],
    ['loopback as a number', 'http://2130706433:PORT/', NONE],
    ['loopback in octal', 'http://0177.0.0.1:PORT/', NONE],
    ['loopback, mapped', 'http://[::ffff:127.0.0.1]:PORT/', NONE],
    ['loopback of IPv6', 'http://[::1]:PORT/', NONE],
    ['the unspecified address', 'http://0.0.0.0:PORT/', NONE],
    ['a metadata service', 'http://169.254.169.254:PORT/latest/meta-data', NONE],
    ['a name of loopback', 'http://inside.example:PORT/', NONE],
    ['a port where nothing listens', 'http://127.0.0.1:9/', NONE],
    ['another address than the one named', 'http://127.0.0.1:PORT/', ['127.0.0.2']],
    ['a name, where others are named', 'http://inside.example:PORT/', ['mirror.example']],
    ['a name without an address, where addresses are named', 'http://nowhere.example:PORT/', ['10.0.0.0/8']],
    ['an address of this machine', 'http://192.0.2.77:PORT/', NONE],
    ['a port of the system', 'http://198.51.100.1:25/', NONE],
  ])('%s', async (_what, url, sources) => {
    names['inside.example'] = [['127.0.0.1']];
    const at = await serve((_request, response) => response.end('inside'));
    const whole = url.replace('PORT', String(portOf(at)));
    const ownAddresses = async () => [parseBlock('127.0.0.0/8')!, parseBlock('192.0.2.77')!];
    const failure = await failureOf(whole, sources, { ownAddresses });
    expect(failure).toMatchObject({ reason: 'ImageSourceRefused', retry: 'terminal', message: refused(whole).message });
    expect(asked.filter((line) => line.startsWith('GET'))).toEqual([]);
  });
});

describe('redirects', () => {
  const to =
    (location: string, status = 302): RequestListener =>
    (_request, response) =>
      response.writeHead(status, { location }).end();

  test.each([301, 302, 303, 307, 308])('%i is followed', async (status) => {
    const at = await serve((_request, response) => response.end('an image'));
    const first = await serve(to(`http://${at}/there`, status));
    expect(await fetchText(`http://${first}/here`)).toBe('an image');
  });

  test('a relative one is followed', async () => {
    const at = await serve((request, response) =>
      request.url === '/a/b' ? to('../c')(request, response) : response.end(request.url),
    );
    expect(await fetchText(`http://${at}/a/b`)).toBe('/c');
  });

  test.each(['http://127.0.0.2:PORT/', 'http://inside.example:PORT/', 'http://[::ffff:127.0.0.2]:PORT/'])(
    'one to %s is refused, in the words of the first URL',
    async (target) => {
      names['inside.example'] = [['127.0.0.2']];
      const inside = await serve((_request, response) => response.end('inside'), '127.0.0.2');
      const first = await serve(to(target.replace('PORT', String(portOf(inside)))));
      const failure = await failureOf(`http://${first}/`);
      expect(failure.message).toBe(refused(`http://${first}/`).message);
      expect(asked.filter((line) => line.includes(inside))).toEqual([]);
    },
  );

  test.each([
    ['file:///etc/shadow', /another kind of URL/],
    ['ftp://127.0.0.1/x', /another kind of URL/],
    ['data:,x', /another kind of URL/],
    ['http://[bad', /no URL/],
  ])('one to %s ends there', async (location, says) => {
    const at = await serve(to(location));
    const failure = await failureOf(`http://${at}/`);
    expect(failure).toMatchObject({ reason: 'ImageNotFound', retry: 'terminal' });
    expect(failure.message).toMatch(says);
    expect(failure.message).not.toContain(location);
  });

  test('five are followed, and a circle is not for ever', async () => {
    const at = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('an image');
      else to(`/${left - 1}`)(request, response);
    });
    expect(await fetchText(`http://${at}/5`)).toBe('an image');
    asked = [];
    const failure = await failureOf(`http://${at}/1000`);
    expect(failure).toMatchObject({ reason: 'ImageNotFound', retry: 'terminal' });
    expect(failure.message).toMatch(/redirects more than 5 times/);
    expect(asked).toHaveLength(6);
  });
});

describe('name and password', () => {
  test('stay with the server that they were given for', async () => {
    const seen: (string | undefined)[] = [];
    const note: RequestListener = (request) => seen.push(request.headers.authorization);
    const other = await serve((request, response) => {
      note(request, response);
      response.end('an image');
    });
    const first = await serve((request, response) => {
      note(request, response);
      const location = request.url === '/1' ? '/2' : `http://you:password@${other}/`;
      response.writeHead(302, { location }).end();
    });
    expect(await fetchText(`http://me:s%40cret@${first}/1`)).toBe('an image');
    const basic = `Basic ${Buffer.from('me:s@cret').toString('base64')}`;
    expect(seen).toEqual([basic, basic, undefined]);
  });

  test('are in no message', async () => {
    const at = await serve((_request, response) => response.writeHead(403).end());
    for (const url of [`http://me:s%40cret@${at}/?token=s%40cret`, 'http://me:s%40cret@10.0.0.1/'])
      expect((await failureOf(url)).message).not.toMatch(/me:|cret/);
  });
});

describe('what a server says', () => {
  test.each([
    [404, 'ImageNotFound', 'terminal'],
    [403, 'ImageNotFound', 'terminal'],
    [500, 'ImageUnavailable', 'retry'],
    [206, 'ImageUnavailable', 'retry'],
  ])('status %i is %s (%s)', async (status, reason, retry) => {
    const at = await serve((_request, response) => response.writeHead(status).end());
    expect(await failureOf(`http://${at}/`)).toMatchObject({ reason, retry });
  });

  test('is cut, and made printable', async () => {
    const raw = createRawServer((socket) => {
      socket.on('error', () => {});
      socket.end(`HTTP/1.1 500 ${'\u001b[2J'.repeat(5)}${'x'.repeat(500)}\r\ncontent-length: 0\r\n\r\n`);
    });
    servers.push(raw);
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    const { message } = await failureOf(`http://127.0.0.1:${(raw.address() as AddressInfo).port}/`);
    expect(message.length).toBeLessThan(400);
    expect([...message].every((character) => character >= ' ')).toBe(true);
  });

  test('at private addresses that nobody named is told in one sentence, and in the log as it is', async () => {
    // Stands for a private network: everything in it is loopback here.
    class Private extends SourceRules {
      override judge(): Verdict {
        return 'discreet';
      }
    }
    const missing = await serve((_request, response) => response.writeHead(404).end());
    const circle = await serve((_request, response) => response.writeHead(302, { location: '/' }).end());
    const broken = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('x', () => response.destroy());
    });
    const mail = createRawServer((socket) => socket.on('error', () => {}).end('220 mail.example ESMTP\r\n'));
    servers.push(mail);
    await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', resolve));
    const closed = '127.0.0.1:9';
    for (const at of [missing, circle, broken, closed, `127.0.0.1:${(mail.address() as AddressInfo).port}`]) {
      const failure = await failureOf(`http://${at}/`, [], { rules: new Private() });
      expect(failure).toMatchObject({ reason: 'ImageUnavailable', retry: 'retry' });
      expect(failure.message).toBe(discreetly(`http://${at}/`).message);
    }
    expect(log).toHaveLength(5);
    expect(log[0]).toMatch(/the server answered 404 Not Found.*\(at 127\.0\.0\.1\)$/);
    expect(log[3]).toMatch(/ECONNREFUSED/);
  });
});

test('a fetch that is given up rejects with the reason, and lets go of the connection', async () => {
  const closed = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const at = await serve((request, response) => {
    request.socket.on('close', () => closed.resolve());
    response.write('the beginning', () => begun.resolve());
  });
  const abort = new AbortController();
  const open = sourceOpener({ rules: new SourceRules({ sources: ['127.0.0.1'] }), http: { resolve } });
  const source = await open(`http://${at}/`, abort.signal);
  const reading = (async () => {
    for await (const _chunk of source.chunks);
  })();
  await begun.promise;
  abort.abort(new Error('no more'));
  await expect(reading).rejects.toThrow('no more');
  await closed.promise;
});
