/**
 * Asks guests who they are: connects to TCP port 7 of each address, reads the greeting, and has a sentence echoed.
 * Waits for guests that still boot.
 *
 *   ip netns exec NETWORK node scripts/greet.ts [--wait SECONDS] ADDRESS…
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

export const ECHO_PORT = 7;

/** The greeting of whoever listens at the address: `web-0 10.20.0.11 boots=1`. Rejects when nobody does by then. */
export async function greet(address: string, withinMs: number): Promise<string> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await ask(address, Math.max(1, deadline - performance.now()));
    } catch (error) {
      if (performance.now() + 200 > deadline)
        throw new Error(`${address} did not answer within ${withinMs / 1000} s: ${(error as Error).message}`);
      await delay(200); // A guest that boots tells nobody when it is done.
    }
  }
}

async function ask(address: string, withinMs: number): Promise<string> {
  const socket = connect({ host: address, port: ECHO_PORT });
  socket.setTimeout(Math.min(withinMs, 3_000), () => socket.destroy(new Error('it was silent')));
  try {
    socket.write('exactly true\n');
    const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
    const failed = new Promise<never>((_resolve, reject) => socket.on('error', reject));
    const line = async () => (await Promise.race([answers.next(), failed])).value;
    const greeting = await line();
    const echo = await line();
    if (greeting === undefined || echo !== 'exactly true') throw new Error(`it said ${greeting}, then ${echo}`);
    return greeting;
  } finally {
    socket.destroy();
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { wait: { type: 'string', default: '5' } },
    allowPositionals: true,
  });
  try {
    for (const address of positionals) console.log(await greet(address, Number(values.wait) * 1000));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
