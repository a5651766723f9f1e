import { providerAttributes } from '../resources.ts';
import { UNKNOWN, type Value } from '../value/value.ts';
import { objectIn } from '../wire/convert.ts';
import type { ConfigureRequest, WithDiagnostics } from '../wire/messages.ts';
import { guarded } from './rpc.ts';

/** Takes the provider block for this connection. The server is asked when a resource first needs it. */
export const configureProvider = guarded<ConfigureRequest, WithDiagnostics>(
  'The provider cannot be configured',
  ({ config }, session) => {
    const values = objectIn(config, providerAttributes) ?? {};
    const unknown = Object.keys(values).filter((name) => values[name] === UNKNOWN);
    if (unknown.length > 0) {
      session.configureLater(unknown);
      return {};
    }
    session.configure({
      ...text('kubeconfig', values.kubeconfig),
      ...text('context', values.context),
      ...text('endpoint', values.endpoint),
      ...text('token', values.token),
      ...text('caCertificate', values.ca_certificate),
      ...text('stack', values.stack),
      ...(typeof values.force_conflicts === 'boolean' ? { forceConflicts: values.force_conflicts } : {}),
      ...(typeof values.insecure_http === 'boolean' ? { insecureHttp: values.insecure_http } : {}),
    });
    return {};
  },
);

function text(name: string, value: Value | undefined): Record<string, string> {
  return typeof value === 'string' ? { [name]: value } : {};
}
