/** What can be wrong with a repository, in the words of conditions. URLs are shown without their secrets. */
import { type PlumbError, retryable, terminal } from '@plumb/schemas/meta/error.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';
import { shownUrl } from '@plumb/schemas/meta/shown-url.ts';

/** The same words for every source that is not allowed, whatever is there. */
export function refused(url: string): PlumbError {
  return terminal(
    'GitSourceRefused',
    `the repository ${shownUrl(url)} is not looked at: its source is not one that the operator of the server allows ` +
      '(plumb server --git-folder DIR for files, --git-source CIDR|HOST for servers)',
  );
}

export function unavailable(url: string, why: string): PlumbError {
  return retryable('GitUnavailable', `the repository ${shownUrl(url)} cannot be read: ${printable(why, 300)}`);
}

/** The commit cannot be applied, as long as it is what it is. */
export function unusable(why: string): PlumbError {
  return terminal('CommitRefused', `nothing of the commit is applied: ${printable(why, 600)}`);
}
