/**
 * Tokens of ServiceAccounts: JSON Web Tokens (RFC 7519) with ES256, signed by a key of this server, for audiences and for a time.
 * One is bound to the uid of its account: it ends when that is deleted, also if another one gets its name.
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import type { Ambient } from '@plumb/schemas';
import { serviceAccountName } from '../authorization/policy.ts';
import { serviceAccountGroups } from '../authorization/service-account-name.ts';
import type { ServiceAccounts } from '../authorization/service-accounts.ts';
import type { User } from './tokens.ts';

/** Who signs, and the audience that means this API. */
export const ISSUER = 'https://plumb.internal';

/** Tokens that were verified lately, so that a client's next request costs no signature. */
const REMEMBERED = 4_096;
/** A token that is longer is none of ours. Characters. */
const LONGEST = 8_192;

interface Claims {
  iss: string;
  sub: string;
  aud: string[];
  iat: number;
  nbf: number;
  exp: number;
  jti: string;
  'kubernetes.io': { namespace: string; serviceaccount: { name: string; uid: string } };
}

export interface AccountToken {
  token: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

interface Verified {
  claims: Claims;
  user: User;
}

export class AccountTokens {
  readonly #key: KeyObject;
  readonly #public: KeyObject;
  /** The first part of every token. Its key id is known to who has seen one: nothing else costs a stranger's signature. */
  readonly #head: string;
  readonly #ambient: Ambient;
  readonly #accounts: Pick<ServiceAccounts, 'get'>;
  /** By hash of the token. */
  readonly #verified = new Map<string, Verified>();

  /** `key`: a private key of P-256. */
  constructor(key: KeyObject, ambient: Ambient, accounts: Pick<ServiceAccounts, 'get'>) {
    this.#key = key;
    this.#public = createPublicKey(key);
    const der = this.#public.export({ type: 'spki', format: 'der' });
    const kid = hash('sha256', der, 'base64url');
    this.#head = encoded({ alg: 'ES256', kid, typ: 'JWT' });
    this.#ambient = ambient;
    this.#accounts = accounts;
  }

  /** `uid`: of the account as it is now. */
  issue(
    account: { namespace: string; name: string; uid: string },
    audiences: readonly string[],
    seconds: number,
  ): AccountToken {
    const now = Math.floor(this.#ambient.clock.now() / 1000);
    const claims: Claims = {
      iss: ISSUER,
      sub: serviceAccountName(account.namespace, account.name),
      aud: [...audiences],
      iat: now,
      nbf: now,
      exp: now + seconds,
      jti: this.#ambient.ids.uid(),
      'kubernetes.io': { namespace: account.namespace, serviceaccount: { name: account.name, uid: account.uid } },
    };
    const text = `${this.#head}.${encoded(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return { token: `${text}.${signature.toString('base64url')}`, expiresAt: claims.exp * 1000 };
  }

  /** Whose token it is, as long as it and its account live, and for which of the audiences; undefined when for none. */
  check(token: string, audiences: readonly string[]): { user: User; audiences: string[] } | undefined {
    if (token.length > LONGEST) return undefined;
    const key = hash('sha256', token, 'base64');
    const verified = this.#verified.get(key) ?? this.#verify(key, token);
    if (!verified) return undefined;
    const { claims, user } = verified;
    const now = this.#ambient.clock.now() / 1000;
    const { namespace, serviceaccount } = claims['kubernetes.io'];
    const lives = this.#accounts.get(namespace, serviceaccount.name)?.uid === serviceaccount.uid;
    if (now < claims.nbf || now >= claims.exp || !lives) {
      this.#verified.delete(key);
      return undefined;
    }
    const common = claims.aud.filter((audience) => audiences.includes(audience));
    return common.length === 0 ? undefined : { user, audiences: common };
  }

  #verify(key: string, token: string): Verified | undefined {
    const claims = this.#claimsOf(token);
    if (!claims) return undefined;
    const { namespace, serviceaccount } = claims['kubernetes.io'];
    const account = this.#accounts.get(namespace, serviceaccount.name);
    if (account?.uid !== serviceaccount.uid) return undefined;
    const user: User = {
      name: claims.sub,
      uid: serviceaccount.uid,
      groups: [...serviceAccountGroups(namespace), 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`] },
      until: account.until,
      expiresAt: claims.exp * 1000,
    };
    const verified = { claims, user };
    if (this.#verified.size >= REMEMBERED) this.#verified.delete(this.#verified.keys().next().value!);
    this.#verified.set(key, verified);
    return verified;
  }

  /** The claims of a token that this server signed; nothing of it is believed before the signature was checked. */
  #claimsOf(token: string): Claims | undefined {
    const [head = '', body = '', signature = '', ...rest] = token.split('.');
    if (rest.length > 0 || head !== this.#head) return undefined;
    const known = { key: this.#public, dsaEncoding: 'ieee-p1363' } as const;
    const bytes = Buffer.from(signature, 'base64url');
    // One text for one signature: what decodes to the same bytes is not taken for another token.
    if (bytes.length !== SIGNATURE_BYTES || bytes.toString('base64url') !== signature) return undefined;
    if (!verify('sha256', Buffer.from(`${head}.${body}`), known, bytes)) return undefined;
    return JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims;
  }
}

const SIGNATURE_BYTES = 64;

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
