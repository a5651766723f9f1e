/** Ephemeral resources: credentials that are made for one run of Terraform, and are in no plan and no state. */
import type { Client } from '@plumb/client/client.ts';
import { terminal } from '@plumb/schemas';
import { DEFAULT_PROJECT, type TerraformAttribute } from '@plumb/schemas/project/terraform.ts';
import { type Diagnostic, failure } from '../diagnostic.ts';
import { nameDiagnostics } from '../value/names.ts';
import type { ObjectValue, Value } from '../value/value.ts';

export interface EphemeralResource {
  description: string;
  attributes: readonly TerraformAttribute[];
  /** What is wrong with a configuration, as far as it is known. */
  check(config: ObjectValue): Diagnostic[];
  /** Makes it. The configuration is wholly known. `close`: path of what is to be deleted when the run ends. */
  open(client: Client, config: ObjectValue): Promise<{ result: ObjectValue; close?: string }>;
}

const attribute = (name: string, description: string, rest: Partial<TerraformAttribute>): TerraformAttribute => ({
  ...{ name, field: name, description, type: 'string' },
  ...rest,
});
const required = { required: true } as const;
const optional = { optional: true } as const;
const computed = { computed: true } as const;
const number = { type: 'number', optional: true } as const;

const HOUR_SECONDS = 3600;

export const ephemerals: Readonly<Record<string, EphemeralResource>> = {
  plumb_service_account_token: {
    description: 'A token of a ServiceAccount, for as long as it says.',
    attributes: [
      attribute('name', 'Name of the ServiceAccount.', required),
      attribute('project', `Its project. Without it: ${DEFAULT_PROJECT}.`, optional),
      attribute('expiration_seconds', 'How long the token is good. Without it: 3600.', number),
      attribute('token', 'The token.', { ...computed, sensitive: true }),
      attribute('expires_at', 'When it ends (RFC 3339).', computed),
    ],
    check: (config) => [
      ...nameDiagnostics(config, ['name', 'project'], 'subdomain'),
      ...whole(config, 'expiration_seconds', 600),
    ],
    async open(client, config) {
      const { name, project, expiration_seconds } = config;
      const [namespace, account] = [project ?? DEFAULT_PROJECT, name].map((part) => encodeURIComponent(String(part)));
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
      const body = { spec: { expirationSeconds: expiration_seconds ?? HOUR_SECONDS } };
      const { status } = await client.send('POST', path, { body });
      const { token, expirationTimestamp } = status as { token: string; expirationTimestamp: string };
      return { result: { ...config, token, expires_at: expirationTimestamp } };
    },
  },
  plumb_join_token: {
    description: 'A token by which hosts join the cloud. It is revoked at the end of the run where revoke says so.',
    attributes: [
      attribute('host', 'Name of the host that it admits.', optional),
      attribute('zone', 'Zone whose undeclared hosts it admits, instead of host.', optional),
      attribute('uses', 'How many hosts may join. Without it: 1.', number),
      attribute('ttl_seconds', 'How long it is good. Without it: 3600.', number),
      attribute('revoke', 'Whether it is revoked when the run of Terraform ends.', { ...optional, type: 'bool' }),
      attribute('id', 'Its name, by which it can be revoked.', computed),
      attribute('token', 'The token.', { ...computed, sensitive: true }),
      attribute('expires_at', 'When it ends (RFC 3339).', computed),
    ],
    check: (config) => [
      ...nameDiagnostics(config, ['host', 'zone']),
      ...whole(config, 'uses', 1),
      ...whole(config, 'ttl_seconds', 1),
      ...(config.host === null && config.zone === null
        ? [failure('Invalid host', 'The token admits a host or a zone: write host or zone.', [{ attribute: 'host' }])]
        : []),
      ...(typeof config.host === 'string' && typeof config.zone === 'string'
        ? [
            failure('Invalid zone', 'The token admits a host or a zone: leave out one of them.', [
              { attribute: 'zone' },
            ]),
          ]
        : []),
    ],
    async open(client, config) {
      const { host, zone, uses, ttl_seconds, revoke } = config;
      const body = { ...said({ host, zone }), uses: uses ?? 1, ttlSeconds: ttl_seconds ?? HOUR_SECONDS };
      const made = await client.send('POST', JOIN_TOKENS, { body });
      const { metadata, token, expires } = made as { metadata: { name: string }; token: string; expires: string };
      const result = { ...config, id: metadata.name, token, expires_at: expires };
      return revoke === true ? { result, close: `${JOIN_TOKENS}/${encodeURIComponent(metadata.name)}` } : { result };
    },
  },
};

export const JOIN_TOKENS = '/apis/plumb.dev/v1/jointokens';

/** Throws a terminal `UnknownType`. */
export function ephemeralOf(typeName: string): EphemeralResource {
  if (Object.hasOwn(ephemerals, typeName)) return ephemerals[typeName]!;
  throw terminal('UnknownType', `This provider has no ephemeral resource ${typeName}.`);
}

function whole(config: ObjectValue, name: string, least: number): Diagnostic[] {
  const value = config[name];
  if (typeof value !== 'number' || (Number.isInteger(value) && value >= least)) return [];
  const detail = `${name} must be a whole number of at least ${least}, but is ${value}.`;
  return [failure(`Invalid ${name}`, detail, [{ attribute: name }])];
}

function said(values: Record<string, Value | undefined>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => (value ?? null) !== null)) as never;
}
