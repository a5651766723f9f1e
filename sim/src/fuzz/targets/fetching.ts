import { encodeFrame, FRAME, FrameReader, parseFailure } from '@plumb/agent/fetch/frames.ts';
import { Incoming } from '@plumb/agent/fetch/incoming.ts';
import { shownUrl } from '@plumb/schemas';
import { addressText, parseAddress, parseBlock } from '@plumb/schemas/sources/address.ts';
import { isSource, SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import type { Dice } from '../../core/dice.ts';
import { anyBytes, mutatedBytes, mutatedText } from '../generate.ts';
import { type FuzzTarget, Wrong } from '../target.ts';

const FAILURE = JSON.stringify({ reason: 'ImageNotFound', message: 'there is none', retry: 'terminal' });

/** What a fetcher says, and what one says that a stranger has taken over. */
function frames(dice: Dice): Buffer {
  const said = Array.from({ length: dice.between(1, 6) }, () => {
    const payload = dice.pick([Buffer.from(''), Buffer.from('300'), Buffer.from(FAILURE), anyBytes(dice, 400)]);
    return encodeFrame(dice.pick([...Object.values(FRAME), 77]), dice.between(0, 2), payload);
  });
  return dice.chance(0.5) ? Buffer.concat(said) : mutatedBytes(dice, Buffer.concat(said));
}

/** The agent's side of the process that fetches images. */
export const fetcher: FuzzTarget<Buffer> = {
  name: 'fetcher',
  make: frames,
  run(bytes) {
    const incoming = new Incoming('https://example.org/a', new AbortController().signal, { taken() {}, ended() {} });
    incoming.opened.catch(() => {});
    const half = bytes.length >> 1;
    const reader = new FrameReader();
    for (const part of [bytes.subarray(0, half), bytes.subarray(half)])
      for (const { type, payload } of reader.read(part)) {
        if (type === FRAME.opened) incoming.open(payload.toString('utf8'));
        else if (type === FRAME.data) incoming.take(payload);
        else if (type === FRAME.end) incoming.end();
        else if (type === FRAME.failed) incoming.fail(parseFailure(payload));
      }
  },
  // The process is ended then.
  allows: (thrown) => thrown instanceof Error && /^(a frame of|more than it was asked)/.test(thrown.message),
  show: (bytes) => bytes.toString('hex'),
};

const SOURCES = [
  ...['127.0.0.1', '10.0.0.0/8', '::1', '::ffff:127.0.0.1', '2001:db8::/32', '64:ff9b::7f00:1', '2002:7f00:1::'],
  ...['images.example', 'https://me:pass@images.example:8443/a?b=c#d', 'http://[::1%25eth0]/', 'file:///a%2fb'],
];
const PIECES = [...SOURCES, ':', '::', '.', '/', '%', '[', ']', '@', 'ffff', '0', '255', '127', 'x', '0x7f', '0177'];

/** Where an image may come from, as a person and a manifest write it. */
export const sources: FuzzTarget<string> = {
  name: 'sources',
  make: (dice) => mutatedText(dice, dice.pick(SOURCES), PIECES),
  run(text) {
    const shown = URL.parse(shownUrl(text));
    if (shown?.username || shown?.password) return new Wrong('who it is for is shown');
    const rules = new SourceRules(isSource(text) ? { sources: [text] } : {});
    parseBlock(text);
    const host = URL.parse(text)?.hostname.replace(/^\[|\]$/g, '') ?? text;
    const address = parseAddress(host);
    if (address === undefined) return undefined;
    const again = parseAddress(addressText(address));
    if (again?.value !== address.value || again.family !== address.family) return new Wrong('an address is another');
    const loopback = address.family === 4 ? address.value >> 24n === 127n : address.value === 1n;
    if (loopback && new SourceRules().judge('h', 443, address, []) !== 'refused')
      return new Wrong('loopback is allowed');
    return rules.judge('h', 443, address, []);
  },
};
