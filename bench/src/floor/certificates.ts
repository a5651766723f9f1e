import { issueServing, type KeyPair, makeAuthority } from '@plumb/reconciler/pki/certificates.ts';

/** An authority (PEM text) and a certificate of 127.0.0.1, of the same kind as the server's own. */
export interface Certificates {
  authority: string;
  serving: KeyPair;
}

export async function makeCertificates(now: number): Promise<Certificates> {
  const authority = await makeAuthority(now, 1);
  const serving = await issueServing(authority, ['127.0.0.1', 'localhost'], now, 1);
  return { authority: authority.certificate, serving };
}
