/**
 * The least that an authenticated POST over HTTPS can be: certificate from argv[2], key from argv[3], token in
 * argv[4]; checks the token, reads the JSON, answers 201 with the object. Says its port when it is ready.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const [certificate = '', key = '', token = ''] = process.argv.slice(2);
const digest = (text: string) => createHash('sha256').update(text).digest();
const expected = digest(`Bearer ${token}`);

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (asked, answer) => {
  if (!timingSafeEqual(digest(asked.headers.authorization ?? ''), expected)) {
    answer.writeHead(401).end();
    return;
  }
  const parts: Buffer[] = [];
  asked.on('data', (part: Buffer) => parts.push(part));
  asked.on('end', () => {
    const object = parts.length > 0 ? JSON.parse(Buffer.concat(parts).toString()) : {};
    const text = JSON.stringify(object);
    answer.writeHead(asked.method === 'POST' ? 201 : 200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    answer.end(text);
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => console.log(`ready ${(server.address() as AddressInfo).port}`));
process.once('SIGTERM', () => process.exit(0));
