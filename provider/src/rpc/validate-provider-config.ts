import { shownUrl } from '@plumb/schemas';
import { type Diagnostic, failure } from '../diagnostic.ts';
import { providerAttributes } from '../resources.ts';
import { stackMistake } from '../stack.ts';
import { objectIn, wireDiagnostics } from '../wire/convert.ts';
import type { ProviderConfigRequest, WithDiagnostics } from '../wire/messages.ts';
import { guarded } from './rpc.ts';

/** What can be said of the provider block without files, environment or server. */
export const validateProviderConfig = guarded<ProviderConfigRequest, WithDiagnostics>(
  'The provider block cannot be validated',
  ({ config }) => {
    const values = objectIn(config, providerAttributes) ?? {};
    const diagnostics: Diagnostic[] = [];
    for (const [name, value] of Object.entries(values)) {
      if (value === '')
        diagnostics.push(failure(`Invalid ${name}`, `${name} is empty: leave it out.`, [{ attribute: name }]));
    }
    const mistake = typeof values.stack === 'string' && values.stack !== '' ? stackMistake(values.stack) : undefined;
    if (mistake) diagnostics.push(failure('Invalid stack', `${mistake}.`, [{ attribute: 'stack' }]));
    const endpoints = typeof values.endpoint === 'string' && values.endpoint !== '' ? values.endpoint.split(',') : [];
    const wrong = endpoints.find((one) => !/^https?:\/\//.test(one.trim()));
    if (wrong !== undefined) {
      const detail = `endpoint must be a URL as in https://plumb.example:7443, but is ${JSON.stringify(shownUrl(wrong))}.`;
      diagnostics.push(failure('Invalid endpoint', detail, [{ attribute: 'endpoint' }]));
    }
    return { diagnostics: wireDiagnostics(diagnostics) };
  },
);
