import { terminal } from '@plumb/schemas';
import { ephemeralOf, JOIN_TOKENS } from '../ephemeral/list.ts';
import { isWhollyKnown } from '../value/value.ts';
import { dynamic, objectIn } from '../wire/convert.ts';
import type {
  OpenReply,
  OpenRequest,
  RenewReply,
  RenewRequest,
  ValidateRequest,
  WithDiagnostics,
} from '../wire/messages.ts';
import { guarded, verdict } from './rpc.ts';

const CLOSE_MS = 10_000;

export const validateEphemeralResourceConfig = guarded<ValidateRequest, WithDiagnostics>(
  'The configuration cannot be validated',
  ({ typeName, config }) => {
    const { attributes, check } = ephemeralOf(typeName);
    return verdict(check(objectIn(config, attributes) ?? {}));
  },
);

/** Makes a credential. What ends it early is kept as private data, which Terraform gives back at the end of the run. */
export const openEphemeralResource = guarded<OpenRequest, OpenReply>(
  'The ephemeral resource cannot be opened',
  async ({ typeName, config }, session) => {
    const { attributes, check, open } = ephemeralOf(typeName);
    const wanted = objectIn(config, attributes) ?? {};
    if (!isWhollyKnown(wanted)) throw terminal('NotKnown', 'A part of the configuration is not known yet.');
    const wrong = check(wanted);
    if (wrong.length > 0) return { ...verdict(wrong), result: dynamic(null, attributes) };
    const { result, close } = await open(session.client, wanted);
    return { result: dynamic(result, attributes), ...(close === undefined ? {} : { private: Buffer.from(close) }) };
  },
  ({ typeName }) => ({ result: dynamic(null, ephemeralOf(typeName).attributes) }),
);

/** Nothing is renewed: each credential is good for as long as its configuration says. */
export const renewEphemeralResource = guarded<RenewRequest, RenewReply>(
  'The ephemeral resource cannot be renewed',
  ({ private: kept }) => (kept ? { private: kept } : {}),
);

export const closeEphemeralResource = guarded<RenewRequest, WithDiagnostics>(
  'The ephemeral resource cannot be closed',
  async ({ typeName, private: kept }, session) => {
    ephemeralOf(typeName);
    const path = kept?.length ? Buffer.from(kept).toString('utf8') : '';
    if (!path.startsWith(`${JOIN_TOKENS}/`)) return {};
    const { client } = session;
    // Also when Terraform was interrupted: the token must not outlive the run.
    const limit = client.deadlineDespiteStop(CLOSE_MS);
    try {
      await client.send('DELETE', path, { signal: limit.signal });
    } finally {
      limit.end();
    }
    return {};
  },
);
