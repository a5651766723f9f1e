import { PlumbError } from '@plumb/schemas';

/** The server has more to do than it can: the same request may succeed later. Answered with 429 and Retry-After. */
export class Overloaded extends PlumbError {
  readonly retryAfterSeconds: number;

  /** `why`: a clause. `retryAfterSeconds`: whole, at least 1. */
  constructor(why: string, retryAfterSeconds: number) {
    const when = retryAfterSeconds === 1 ? 'in a second' : `in ${retryAfterSeconds} seconds`;
    super({ reason: 'TooManyRequests', message: `${why}: try again ${when}`, retry: 'retry' });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
