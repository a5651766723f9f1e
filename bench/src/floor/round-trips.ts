import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { startChild } from '../processes/child.ts';
import type { Certificates } from './certificates.ts';
import { ECHO_PATH, MESSAGE_BYTES, raw } from './stream-wire.ts';

/** N round trips to an agent that does nothing, all on one bidirectional stream over TLS. */
export interface RoundTrips {
  /** Milliseconds for `n` messages there and back, sent as fast as the stream takes them. */
  measure(n: number): Promise<number>;
  close(): Promise<void>;
}

type Stream = ServerDuplexStream<Buffer, Buffer>;

export async function startRoundTrips(folder: string, { authority, serving }: Certificates): Promise<RoundTrips> {
  const server = new Server();
  const connected = new Promise<Stream>((resolve) => {
    const echo = {
      path: ECHO_PATH,
      requestStream: true,
      responseStream: true,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    };
    server.addService(
      { echo },
      {
        echo: (stream: Stream) => {
          stream.sendMetadata(stream.metadata);
          resolve(stream);
        },
      },
    );
  });
  const pair = { cert_chain: Buffer.from(serving.certificate), private_key: Buffer.from(serving.key) };
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const authorityFile = join(folder, 'authority.pem');
  writeFileSync(authorityFile, authority);
  const child = await startChild(
    join(import.meta.dirname, 'stream-agent.ts'),
    [String(port), authorityFile],
    /^ready$/,
  );
  const stream = await connected;
  const message = Buffer.alloc(MESSAGE_BYTES, 'x');

  return {
    measure(n) {
      const started = performance.now();
      let back = 0;
      return new Promise((resolve, reject) => {
        const onData = () => {
          if (++back < n) return;
          stream.off('data', onData);
          stream.off('error', reject);
          resolve(performance.now() - started);
        };
        stream.on('data', onData);
        stream.once('error', reject);
        for (let i = 0; i < n; i++) stream.write(message);
      });
    },
    async close() {
      stream.on('error', () => {});
      server.forceShutdown();
      await child.end();
    },
  };
}
