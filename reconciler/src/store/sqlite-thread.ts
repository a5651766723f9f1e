/**
 * The thread that writes to the store's file, whose path is its `workerData`: carries out requests and answers them, until
 * it is asked to end. Imports as little as it can: each module costs memory again in a thread.
 */
import { flushCompileCache } from 'node:module';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { connect } from './sqlite-connection.ts';
import { BlockingLog } from './sqlite-log.ts';
import type { WriterRequest } from './sqlite-messages.ts';
import { SqliteWriter } from './sqlite-writer.ts';

flushCompileCache();
const port = parentPort;
if (!port) throw new Error('sqlite-thread.ts is a thread of the store, and no program');
const db = connect(workerData as string, 'writing');
const writer = new SqliteWriter(db, new BlockingLog(db), (answer) => port.postMessage(answer));

port.on('message', (first: WriterRequest | 'end') => {
  let request: WriterRequest | 'end' | undefined = first;
  while (request !== undefined && request !== 'end') {
    writer.take(request);
    request = receiveMessageOnPort(port)?.message;
  }
  writer.work();
  if (request === 'end') {
    writer.close();
    port.close();
  }
});
