/** What can be wrong with the source of an image, in the words of conditions. URLs are shown without their secrets. */
import { type PlumbError, retryable, terminal } from '@plumb/schemas/meta/error.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';
import { shownUrl } from '@plumb/schemas/meta/shown-url.ts';

/**
 * The same words for every source that is not allowed, whatever is there: else they would tell which files a host has, and
 * what listens in its network.
 */
export function refused(url: string): PlumbError {
  return terminal(
    'ImageSourceRefused',
    `the image at ${shownUrl(url)} is not fetched: its source is not one that the operator of the host allows ` +
      '(plumb agent --image-folder DIR for files, --image-source CIDR|HOST for servers)',
  );
}

export function notFound(url: string, why: string): PlumbError {
  return terminal('ImageNotFound', `there is no image at ${shownUrl(url)}: ${printable(why, 200)}`);
}

export function unavailable(url: string, why: string, cause?: unknown): PlumbError {
  return retryable(
    'ImageUnavailable',
    `the image at ${shownUrl(url)} cannot be fetched: ${printable(why, 200)}`,
    cause,
  );
}

/** For private addresses that nobody named: one sentence and no verdict for all that can happen there. */
export function discreetly(url: string): PlumbError {
  return unavailable(
    url,
    'its server does not send a file; the log of the agent says more, and so do messages once --image-source names it',
  );
}

/** The message of whatever was thrown, of its deepest cause. */
export function reasonOf(thrown: unknown): string {
  const deepest = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  return deepest instanceof Error ? deepest.message : String(thrown);
}
