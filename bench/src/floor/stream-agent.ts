/** The least that an agent can be: sends back every message of the stream that it opened to the port argv[2]. */
import { readFileSync } from 'node:fs';
import { ChannelCredentials, Client } from '@grpc/grpc-js';
import { ECHO_PATH, raw } from './stream-wire.ts';

const [port = '', authority = ''] = process.argv.slice(2);
const client = new Client(`127.0.0.1:${port}`, ChannelCredentials.createSsl(readFileSync(authority)), {
  // An address is no name that TLS could ask for.
  'grpc.ssl_target_name_override': 'localhost',
  'grpc.default_authority': 'localhost',
});
const stream = client.makeBidiStreamRequest(ECHO_PATH, raw, raw);
stream.on('data', (message: Buffer) => stream.write(message));
stream.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
stream.on('metadata', () => console.log('ready'));
