/** One gRPC server for each connection, so that what a connection was told can never reach another. */
import type { Socket } from 'node:net';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { rpcs, streams } from './rpc/index.ts';
import type { Rpc, StreamRpc } from './rpc/rpc.ts';
import type { Session } from './session.ts';
import { brokerService, controllerService, healthService, providerService, stdioService } from './wire/services.ts';

/** grpc-js takes 4 MiB by default; a resource may be larger, and the other end is Terraform. */
const UNLIMITED = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

/**
 * Speaks the plugin protocol on the socket until either side closes it; then the session is closed too. `onShutdown` is called
 * when Terraform ends the plugin, before the socket is closed; `onClosed` when it is closed, with the rest of what is to be done.
 */
export function serveConnection(
  socket: Socket,
  session: Session,
  onShutdown: () => void = () => {},
  onClosed: (done: Promise<void>) => void = () => {},
): void {
  const server = new Server(UNLIMITED);
  const held = new Set<HeldStream>();
  const hold = (stream: HeldStream) => {
    held.add(stream);
    stream.once('close', () => held.delete(stream));
  };
  const shutdown = () => {
    onShutdown();
    session.end();
    for (const stream of held) stream.end();
    server.tryShutdown(() => socket.end());
  };
  server.addService(providerService, implementation(session));
  server.addService(controllerService, { Shutdown: answer(() => ({}), shutdown) });
  server.addService(stdioService, { StreamStdio: hold });
  server.addService(brokerService, {
    StartStream: (stream: ServerDuplexStream<object, object>) => {
      hold(stream);
      stream.on('end', () => stream.end());
      stream.resume();
    },
  });
  server.addService(healthService, { Check: answer(() => ({ status: 1 })) });
  socket.once('close', () => {
    onClosed(session.close());
    server.forceShutdown();
  });
  server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(socket);
}

/** go-plugin opens these streams, and would read output and side channels from them; there are none. */
type HeldStream = ServerDuplexStream<object, object> | ServerWritableStream<object, object>;

function implementation(session: Session): UntypedServiceImplementation {
  return Object.fromEntries([
    ...Object.entries(rpcs).map(([name, rpc]) => [name, unary(name, rpc, session)]),
    ...Object.entries(streams).map(([name, rpc]) => [name, streaming(name, rpc, session)]),
  ]);
}

function unary(name: string, rpc: Rpc<never, object>, session: Session): handleUnaryCall<object, object> {
  return async (call, reply) => {
    const started = session.ambient.clock.now();
    try {
      const result = await rpc(call.request as never, session);
      session.log('trace', name, { ms: session.ambient.clock.now() - started });
      reply(null, result);
    } catch (error) {
      session.log('error', `${name} failed`, { error: String(error) });
      reply({ code: status.INTERNAL, details: `${name}: ${error instanceof Error ? error.message : String(error)}` });
    }
  };
}

/** Sends each event as fast as the other end takes them, and none after it has gone. */
function streaming(
  name: string,
  rpc: StreamRpc<never, object>,
  session: Session,
): handleServerStreamingCall<object, object> {
  return async (call) => {
    try {
      for await (const event of rpc(call.request as never, session)) {
        if (call.cancelled) break;
        if (!call.write(event)) await drained(call);
      }
      call.end();
    } catch (error) {
      session.log('error', `${name} failed`, { error: String(error) });
      call.emit('error', { code: status.INTERNAL, details: `${name}: ${String(error)}` });
    }
  };
}

function drained(call: ServerWritableStream<object, object>): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      for (const event of ENDS) call.off(event, go);
      resolve();
    };
    for (const event of ENDS) call.on(event, go);
  });
}

const ENDS = ['drain', 'cancelled', 'close', 'error'];

/** Answers, and does what must come after the answer. */
function answer(reply: () => object, after?: () => void): handleUnaryCall<object, object> {
  return (_call, send) => {
    send(null, reply());
    if (after) setImmediate(after);
  };
}
