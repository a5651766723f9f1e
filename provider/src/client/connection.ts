/** Where a server is and who we are there. */
import type { ExecPlugin } from '@plumb/client/exec-plugin.ts';

export interface Connection {
  /** `https://host:port`, without a path at its end. */
  endpoint: string;
  token?: string;
  /** PEM; the public authorities that Node brings, if absent. */
  ca?: string;
  /** PEM of a client certificate and its key. */
  certificate?: { cert: string; key: string };
  /** The name that the server's certificate must bear, where it is not the host of the endpoint. */
  serverName?: string;
  /** The certificate is not verified: only as a kubeconfig says so. */
  insecure?: true;
  /** A program that gives token or certificate. */
  exec?: ExecPlugin;
  /** A proxy for this server, whatever the environment says. */
  proxy?: string;
}
