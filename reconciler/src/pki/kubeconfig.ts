/** The kubeconfig of the administrator: what kubectl, Terraform and the plumb command log in with. */
import { parse, stringify } from 'yaml';

export interface KubeconfigFacts {
  /** URL of the API. */
  server: string;
  /** PEM text of the authority. */
  authority: string;
  token: string;
}

/** The file's text. */
export function formatKubeconfig({ server, authority, token }: KubeconfigFacts): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'plumb', cluster: { server, 'certificate-authority-data': Buffer.from(authority).toString('base64') } },
    ],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'plumb', context: { cluster: 'plumb', user: 'admin', namespace: 'default' } }],
    'current-context': 'plumb',
  });
}

/** The token of a kubeconfig that {@link formatKubeconfig} wrote; undefined when it holds none or is no kubeconfig. */
export function tokenOfKubeconfig(text: string): string | undefined {
  try {
    // Its warnings would quote lines of the file.
    const file = parse(text, { logLevel: 'error' }) as { users?: { user?: { token?: unknown } }[] } | null;
    const token = file?.users?.[0]?.user?.token;
    return typeof token === 'string' && token.length > 0 ? token : undefined;
  } catch {
    return undefined;
  }
}
