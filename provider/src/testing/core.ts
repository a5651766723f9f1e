/** What Terraform's core does with a provider, over a real gRPC connection: enough of it to try each RPC. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { decode } from '@msgpack/msgpack';
import { Contacts } from '@plumb/client/contact.ts';
import { realAmbient } from '@plumb/schemas';
import type { TerraformAttribute } from '@plumb/schemas/project/terraform.ts';
import { jsonLog } from '../log.ts';
import { kindOfPlural, kindOfType, providerAttributes } from '../resources.ts';
import { serveConnection } from '../server.ts';
import { Session } from '../session.ts';
import { decodeObject, encodeObject } from '../value/msgpack.ts';
import type { ObjectValue } from '../value/value.ts';
import type { DynamicValue, IdentityData, ListEvent, WireDiagnostic } from '../wire/messages.ts';
import { controllerService, providerService } from '../wire/services.ts';

export interface Answer {
  state: ObjectValue | null;
  /** `summary | detail | path`, one for each. */
  errors: string[];
  /** Whether one of them is an error, and not a warning. */
  failed: boolean;
  replace: string[];
  /** Which object the answer says it is; null where it does not. */
  identity: unknown;
}

export interface Listed {
  name: string;
  identity: unknown;
  state: ObjectValue | null;
  errors: string[];
}

type Reply = { diagnostics?: WireDiagnostic[] } & Record<string, unknown>;

/** Serves the provider on a socket; each `connect` is a provider block of its own. */
export class Core {
  readonly logs: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'plumb-core-'));
  readonly #server: Server;
  readonly #clients: Client[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(env: Record<string, string>, hurry: number) {
    const ambient = realAmbient();
    const { after, now } = ambient.clock;
    const start = now();
    ambient.clock.after = (ms, run) => after(ms / hurry, run);
    ambient.clock.now = () => start + (now() - start) * hurry;
    const log = jsonLog((line) => this.logs.push(line), ambient.clock.now);
    const contacts = new Contacts(ambient.clock);
    this.#server = createServer((socket) => {
      this.#sockets.add(socket.on('error', () => socket.destroy()));
      const run = { env: { PLUMB_INSECURE_HTTP: 'true', ...env }, cwd: this.#folder, workspace: 'default' };
      serveConnection(socket, new Session(ambient, run, log, contacts));
    });
  }

  /** `hurry`: how many times faster than real the provider's timers run. */
  static async start(env: Record<string, string> = {}, hurry = 1): Promise<Core> {
    const core = new Core(env, hurry);
    await new Promise<void>((resolve) => core.#server.listen(core.#socket, resolve));
    return core;
  }

  get #socket(): string {
    return join(this.#folder, 'socket');
  }

  /** A connection that is not configured. */
  connect(): Connection {
    const Constructor = makeGenericClientConstructor(providerService, 'Provider');
    // Without a subchannel pool of its own, grpc-js would share one connection.
    const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': -1 };
    const client = new Constructor(`unix:${this.#socket}`, credentials.createInsecure(), options);
    this.#clients.push(client);
    return new Connection(client);
  }

  async configured(values: ObjectValue): Promise<Connection> {
    const connection = this.connect();
    const { errors } = await connection.configure(values);
    if (errors.length > 0) throw new Error(errors.join('\n'));
    return connection;
  }

  /** As when Terraform is killed: every connection is cut. */
  vanish(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What the provider keeps beside each state that it has given. */
const privates = new WeakMap<ObjectValue, Uint8Array>();

function beside(state: ObjectValue | null): Uint8Array {
  return (state && privates.get(state)) ?? new Uint8Array();
}

export class Connection {
  readonly #client: Record<string, (request: object, done: (error: Error | null, reply: Reply) => void) => void>;

  readonly #plugin: Client;

  constructor(client: Client) {
    this.#plugin = client;
    this.#client = client as never;
  }

  /** As Terraform ends a plugin that it needs no more. */
  shutdown(): Promise<void> {
    const Controller = makeGenericClientConstructor(controllerService, 'Controller');
    const options = { channelOverride: this.#plugin.getChannel() };
    const controller = new Controller('unused', credentials.createInsecure(), options);
    return new Promise((resolve) => {
      (controller as unknown as Record<string, (request: object, done: (error: Error | null) => void) => void>)
        .Shutdown!({}, () => resolve());
    });
  }

  call(name: string, request: object): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#client[name]!(request, (error, reply) => (error ? reject(error) : resolve(reply)));
    });
  }

  async configure(values: ObjectValue): Promise<Answer> {
    return answer(await this.call('ConfigureProvider', { config: dynamic(values, providerAttributes) }));
  }

  async validate(type: string, config: ObjectValue): Promise<Answer> {
    const { resource } = kindOfType(type);
    return answer(await this.call('ValidateResourceConfig', { typeName: type, config: dynamic(config, resource) }));
  }

  /** Plans, with the proposal that core would make of a configuration. */
  async plan(type: string, config: ObjectValue | null, prior: ObjectValue | null): Promise<Answer> {
    const { resource } = kindOfType(type);
    const reply = await this.call('PlanResourceChange', {
      typeName: type,
      priorState: dynamic(prior, resource),
      proposedNewState: dynamic(config && { ...prior, ...config }, resource),
      config: dynamic(config, resource),
      priorPrivate: beside(prior),
    });
    return answer(reply, reply.plannedState, resource, reply.plannedPrivate);
  }

  async apply(type: string, config: ObjectValue | null, prior: ObjectValue | null): Promise<Answer> {
    const { resource } = kindOfType(type);
    const planned = await this.plan(type, config, prior);
    if (planned.failed) return planned;
    const reply = await this.call('ApplyResourceChange', {
      typeName: type,
      priorState: dynamic(prior, resource),
      plannedState: dynamic(planned.state, resource),
      config: dynamic(config, resource),
      plannedPrivate: beside(planned.state),
    });
    return answer(reply, reply.newState, resource, reply.private);
  }

  async read(type: string, state: ObjectValue): Promise<Answer> {
    const { resource } = kindOfType(type);
    const currentState = dynamic(state, resource);
    const reply = await this.call('ReadResource', { typeName: type, currentState, private: beside(state) });
    return answer(reply, reply.newState, resource, reply.private);
  }

  async data(type: string, config: ObjectValue): Promise<Answer> {
    const dataSource = kindOfPlural(type)?.plural ?? kindOfType(type).dataSource;
    const reply = await this.call('ReadDataSource', { typeName: type, config: dynamic(config, dataSource) });
    return answer(reply, reply.state, dataSource);
  }

  async validateData(type: string, config: ObjectValue): Promise<string[]> {
    const dataSource = kindOfPlural(type)?.plural ?? kindOfType(type).dataSource;
    return answer(
      await this.call('ValidateDataResourceConfig', { typeName: type, config: dynamic(config, dataSource) }),
    ).errors;
  }

  async validateList(type: string, config: ObjectValue): Promise<string[]> {
    const { selection } = kindOfType(type);
    return answer(await this.call('ValidateListResourceConfig', { typeName: type, config: dynamic(config, selection) }))
      .errors;
  }

  /** Every event of a list. `most`: how many objects at most, with what they are. */
  async list(type: string, config: ObjectValue, most = 1000, withObjects = true): Promise<Listed[]> {
    const { selection, resource } = kindOfType(type);
    const events = await this.stream('ListResource', {
      typeName: type,
      config: dynamic(config, selection),
      limit: most,
      includeResourceObject: withObjects,
    });
    return events.map((event) => {
      const { displayName, identity, resourceObject, diagnostic } = event as unknown as ListEvent & {
        diagnostic: WireDiagnostic[];
      };
      return {
        name: displayName ?? '',
        identity: identity ? decode(identity.identityData.msgpack!) : null,
        state: resourceObject?.msgpack?.length ? decodeObject(resourceObject.msgpack, resource) : null,
        errors: answer({ diagnostics: diagnostic }).errors,
      };
    });
  }

  /** What an RPC answers with a stream. */
  stream(name: string, request: object): Promise<Reply[]> {
    return new Promise((resolve, reject) => {
      const events: Reply[] = [];
      const call = (this.#client as unknown as Record<string, (request: object) => NodeJS.EventEmitter>)[name]!(
        request,
      );
      call.on('data', (event: Reply) => events.push(event));
      call.on('end', () => resolve(events));
      call.on('error', reject);
    });
  }

  /** The configuration that is written for a state. */
  async generate(type: string, state: ObjectValue): Promise<Answer> {
    const { resource } = kindOfType(type);
    const reply = await this.call('GenerateResourceConfig', { typeName: type, state: dynamic(state, resource) });
    return answer(reply, reply.config, resource);
  }

  async import(type: string, id: string): Promise<Answer> {
    const { resource } = kindOfType(type);
    const reply = await this.call('ImportResourceState', { typeName: type, id });
    return importedAnswer(reply, resource);
  }

  async importBy(type: string, identity: ObjectValue): Promise<Answer> {
    const { resource, identity: attributes } = kindOfType(type);
    const identityData = dynamic(identity, attributes);
    return importedAnswer(
      await this.call('ImportResourceState', { typeName: type, identity: { identityData } }),
      resource,
    );
  }

  async upgrade(type: string, json: string): Promise<Answer> {
    const { resource } = kindOfType(type);
    const rawState = { json: Buffer.from(json) };
    const reply = await this.call('UpgradeResourceState', { typeName: type, version: 0, rawState });
    return answer(reply, reply.upgradedState, resource);
  }
}

function dynamic(value: ObjectValue | null, attributes: readonly TerraformAttribute[]): DynamicValue {
  return { msgpack: encodeObject(value, attributes) };
}

function answer(reply: Reply, state?: unknown, attributes: readonly TerraformAttribute[] = [], kept?: unknown): Answer {
  const bytes = (state as DynamicValue | null | undefined)?.msgpack;
  const paths = (reply.requiresReplace ?? []) as { steps: { attributeName: string }[] }[];
  const identity = (reply.newIdentity ?? reply.plannedIdentity) as IdentityData | null | undefined;
  const object = bytes?.length ? decodeObject(bytes, attributes) : null;
  if (object && kept) privates.set(object, kept as Uint8Array);
  return {
    state: object,
    failed: (reply.diagnostics ?? []).some(({ severity }) => Number(severity) === 1 || String(severity) === 'ERROR'),
    errors: (reply.diagnostics ?? []).map(({ summary, detail, attribute }) =>
      [summary, detail, ...(attribute ? [pathText(attribute.steps)] : [])].join(' | '),
    ),
    replace: paths.map(({ steps }) => steps.map((step) => step.attributeName).join('.')),
    identity: identity ? decode(identity.identityData.msgpack!) : null,
  };
}

function importedAnswer(reply: Reply, attributes: readonly TerraformAttribute[]): Answer {
  const [imported] = reply.importedResources as { state: DynamicValue; identity: IdentityData }[];
  return answer({ ...reply, newIdentity: imported?.identity }, imported?.state, attributes);
}

function pathText(steps: readonly object[]): string {
  return steps.map((step) => String(Object.values(step)[0])).join('.');
}
