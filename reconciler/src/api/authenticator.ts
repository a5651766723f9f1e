/** Whose token it is: one of this server's own, which are random, or one of a ServiceAccount, which is signed. */
import { type AccountTokens, ISSUER } from '../pki/account-tokens.ts';
import type { Tokens, User } from '../pki/tokens.ts';

/** Tokens for this API are for its issuer. */
const OURS: readonly string[] = [ISSUER];

export class Authenticator {
  readonly #tokens: Pick<Tokens, 'check'>;
  readonly #accountTokens: Pick<AccountTokens, 'check'>;

  constructor(tokens: Pick<Tokens, 'check'>, accountTokens: Pick<AccountTokens, 'check'>) {
    this.#tokens = tokens;
    this.#accountTokens = accountTokens;
  }

  /** Who may ask this API with it. */
  check(secret: string): User | undefined {
    return this.lookAt(secret, OURS)?.user;
  }

  /** Who bears it, and for which of the audiences; without any, for this API. */
  lookAt(secret: string, audiences: readonly string[]): { user: User; audiences: readonly string[] } | undefined {
    const wanted = audiences.length > 0 ? audiences : OURS;
    // A random token has no dot.
    if (secret.includes('.')) return this.#accountTokens.check(secret, wanted);
    const ours = wanted.filter((audience) => OURS.includes(audience));
    const user = ours.length > 0 ? this.#tokens.check(secret, 'api') : undefined;
    return user && { user, audiences: ours };
  }
}
