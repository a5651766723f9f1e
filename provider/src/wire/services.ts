/** gRPC service definitions for grpc-js, read from the .proto files beside this one. */
import { readFileSync } from 'node:fs';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/** `tfplugin6.Provider`. */
export const providerService = serviceOf('tfplugin6.proto', 'tfplugin6.Provider');
/** go-plugin's own: asked once, to end the plugin. */
export const controllerService = serviceOf('go-plugin.proto', 'plugin.GRPCController');
/** go-plugin's own: a stream that it holds open. */
export const brokerService = serviceOf('go-plugin.proto', 'plugin.GRPCBroker');
/** go-plugin's own: a stream that it holds open. */
export const stdioService = serviceOf('go-plugin.proto', 'plugin.GRPCStdio');
/** Whether the plugin serves. */
export const healthService = serviceOf('health.proto', 'grpc.health.v1.Health');

function serviceOf(file: string, name: string): ServiceDefinition<UntypedServiceImplementation> {
  const root = protobuf.parse(readFileSync(new URL(`./${file}`, import.meta.url), 'utf8')).root;
  const service = root.lookupService(name);
  const methods = service.methodsArray.map((method) => {
    const request = codec(root.lookupType(method.requestType));
    const response = codec(root.lookupType(method.responseType));
    const definition = {
      path: `/${name}/${method.name}`,
      originalName: method.name,
      requestStream: method.requestStream ?? false,
      responseStream: method.responseStream ?? false,
      requestSerialize: request.serialize,
      requestDeserialize: request.deserialize,
      responseSerialize: response.serialize,
      responseDeserialize: response.deserialize,
    };
    return [method.name, definition] as const;
  });
  return Object.fromEntries(methods);
}

/** Absent messages become null, absent scalars their default; 64 bit integers are versions and indexes, and small. */
const plain: protobuf.IConversionOptions = { longs: Number, defaults: true };

/** Replies that stay as they are, by their bytes once they were sent. */
const lasting = new WeakMap<object, Buffer | undefined>();

/** Says that a reply is the same for ever: it is encoded once, since every command of Terraform asks for it. */
export function encodedOnce<T extends object>(reply: T): T {
  lasting.set(reply, undefined);
  return reply;
}

function codec(type: protobuf.Type): { serialize(value: object): Buffer; deserialize(bytes: Buffer): object } {
  return {
    serialize: (value) => {
      const encode = () => Buffer.from(type.encode(type.fromObject(value)).finish());
      if (!lasting.has(value)) return encode();
      const known = lasting.get(value) ?? encode();
      lasting.set(value, known);
      return known;
    },
    deserialize: (bytes) => type.toObject(type.decode(bytes), plain),
  };
}
