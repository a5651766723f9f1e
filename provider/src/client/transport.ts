/** One HTTP request to the server, and one watch. Nothing is repeated here. */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent, request as secureRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import { type Credential, PluginCredential } from '@plumb/client/exec-plugin.ts';
import { type Clock, PlumbError, retryable, terminal } from '@plumb/schemas';
import type { Log } from '../log.ts';
import type { Connection } from './connection.ts';
import { proxyFor } from './proxy.ts';
import type { Surroundings } from './settings.ts';
import { errorOf } from './status.ts';

export interface Request {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query, from `/apis` on. */
  path: string;
  body?: unknown;
  /** `application/json`, if absent. */
  contentType?: string;
}

/** A request that has brought no answer in this time is given up; it may have been carried out. Milliseconds. */
const ANSWER_MS = 30_000;
const UNAUTHORIZED = 401;

export class Transport {
  readonly #connection: Connection;
  readonly #surroundings: Surroundings;
  /** The one that is used, and the certificate of ours that it shows. */
  #agent: Agent | PlainAgent;
  #shown: Connection['certificate'];
  readonly #plugin: PluginCredential | undefined;
  readonly #clock: Clock;
  readonly #log: Log;

  /** `surroundings`: of the run of Terraform that this is for. */
  constructor(connection: Connection, clock: Clock, log: Log, surroundings: Surroundings = { env: {}, cwd: '/' }) {
    this.#connection = connection;
    this.#surroundings = surroundings;
    this.#clock = clock;
    this.#log = log;
    this.#plugin = connection.exec && new PluginCredential(connection.exec, { ...surroundings, clock });
    this.#shown = connection.certificate;
    this.#agent = this.#newAgent();
  }

  #newAgent(): Agent | PlainAgent {
    const { ca, serverName, insecure, endpoint } = this.#connection;
    const proxyEnv = proxyFor(this.#connection, this.#surroundings.env);
    return endpoint.startsWith('http:')
      ? new PlainAgent({ keepAlive: true, proxyEnv })
      : new Agent({
          keepAlive: true,
          proxyEnv,
          // Named always, so that no variable of the environment adds another (NODE_EXTRA_CA_CERTS, SSL_CERT_FILE).
          ca: ca ?? [...rootCertificates],
          ...(this.#shown ?? {}),
          ...(serverName ? { servername: serverName } : {}),
          // Said always: where it is not, a variable of the environment decides (NODE_TLS_REJECT_UNAUTHORIZED).
          rejectUnauthorized: insecure !== true,
        });
  }

  /** Who we are now: from the connection, or from the program that it names. */
  async #credential(): Promise<Credential> {
    if (!this.#plugin) return this.#connection;
    const credential = await this.#plugin.get();
    if (credential.certificate && credential.certificate !== this.#shown) {
      this.#agent.destroy();
      this.#shown = credential.certificate;
      this.#agent = this.#newAgent();
    }
    return credential;
  }

  /** Where requests go, for messages. */
  get endpoint(): string {
    return this.#connection.endpoint;
  }

  /** Closes the connections that are kept open. */
  close(): void {
    this.#agent.destroy();
  }

  /**
   * The body of the answer, parsed. Throws what the server said as a PlumbError; a retryable `Unreachable` when no
   * whole answer came; the signal's reason when it aborts.
   */
  async json(request: Request, signal: AbortSignal): Promise<unknown> {
    const patience = new AbortController();
    const endTimer = this.#clock.after(ANSWER_MS, () =>
      patience.abort(retryable('Unreachable', `${this.endpoint} did not answer within ${ANSWER_MS / 1000} s`)),
    );
    try {
      const either = AbortSignal.any([signal, patience.signal]);
      const response = await this.#send(request, either);
      const body = await this.#text(response, either);
      const code = response.statusCode ?? 0;
      if (code < 200 || code > 299)
        throw errorOf(code, body, `${request.method} ${request.path}`, response.headers['retry-after']);
      return parsed(body, this.endpoint);
    } finally {
      endTimer();
    }
  }

  /** The lines of an answer that does not end by itself. Throws as {@link json} does. */
  async *lines(request: Request, signal: AbortSignal): AsyncGenerator<unknown> {
    const response = await this.#send(request, signal);
    const code = response.statusCode ?? 0;
    if (code !== 200) {
      const body = await this.#text(response, signal);
      throw errorOf(code, body, `${request.method} ${request.path}`, response.headers['retry-after']);
    }
    try {
      response.setEncoding('utf8');
      let rest = '';
      for await (const chunk of response) {
        const lines = `${rest}${chunk}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.trim() !== '') yield parsed(line, this.endpoint);
      }
    } catch (error) {
      throw this.#unreachable(error, signal);
    } finally {
      response.destroy();
    }
  }

  /** A credential that is refused is asked for once more, where a program gives it: tokens end in the middle of an apply. */
  async #send(request: Request, signal: AbortSignal): Promise<IncomingMessage> {
    const credential = await this.#credential();
    const response = await this.#sendAs(credential, request, signal);
    if (response.statusCode !== UNAUTHORIZED || !this.#plugin) return response;
    response.destroy();
    this.#plugin.refused(credential);
    return this.#sendAs(await this.#credential(), request, signal);
  }

  #sendAs({ token }: Credential, request: Request, signal: AbortSignal): Promise<IncomingMessage> {
    const started = this.#clock.now();
    const { method, path, body, contentType = 'application/json' } = request;
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      accept: 'application/json',
      'user-agent': 'terraform-provider-plumb',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(payload ? { 'content-type': contentType, 'content-length': payload.length } : {}),
    };
    const send = this.endpoint.startsWith('http:') ? plainRequest : secureRequest;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const out = send(`${this.endpoint}${path}`, { method, headers, agent: this.#agent, signal }, (response) => {
        this.#log('debug', `${method} ${path}`, { code: response.statusCode, ms: this.#clock.now() - started });
        resolve(response);
      });
      out.on('error', (error) => {
        this.#log('debug', `${method} ${path}`, { error: error.message, ms: this.#clock.now() - started });
        reject(this.#unreachable(error, signal));
      });
      out.end(payload);
    });
  }

  async #text(response: IncomingMessage, signal: AbortSignal): Promise<string> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    } catch (error) {
      throw this.#unreachable(error, signal);
    }
  }

  #unreachable(error: unknown, signal: AbortSignal): PlumbError {
    if (signal.aborted) return PlumbError.from(signal.reason, this.endpoint);
    if (error instanceof PlumbError) return error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code && CERTIFICATE.test(code)) {
      return terminal(
        'BadCertificate',
        `The certificate of ${this.endpoint} is not trusted (${message}): give its authority in ca_certificate or in a kubeconfig`,
      );
    }
    return retryable('Unreachable', `${this.endpoint} cannot be reached: ${message || code}`, error);
  }
}

/** Codes of Node and OpenSSL for a certificate that waiting will not mend. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

function parsed(text: string, endpoint: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw retryable('BadAnswer', `${endpoint} answered something that is not JSON: is it a Plumb server?`);
  }
}
