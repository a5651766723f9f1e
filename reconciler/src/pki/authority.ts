/**
 * The certificate authority of this control plane: made at the first start, kept in the data folder, replaced in place.
 *
 * `ca.crt` and `ca.key` sign. While it is being replaced, `next.crt` and `next.key` stand beside them, and `next.json` says
 * when they take over; kubeconfigs hold both until then. `endorsements.crt` holds how an earlier authority vouched for the
 * one after it: agents that have only seen the earlier one follow it to the present one.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { terminal } from '@plumb/schemas';
import { readPrivate, writePrivate } from '@plumb/schemas/files/private-file.ts';
import { caPin } from '@plumb/schemas/wire/join-token.ts';
import type { KeyPair } from './certificates.ts';
import { permits, permittedBy } from './name-constraints.ts';
import type { Span } from './span.ts';

const DAY = 86_400_000;
const VALID_DAYS = 3650;
/** With its key it gets a new certificate so long before its end, so that copies of the old one are valid meanwhile. */
const RENEW_BEFORE_DAYS = 730;
/** Replacements that agents can follow which missed all of them. */
const MOST_ENDORSEMENTS = 4;

export interface Authority {
  /** Signs. */
  current: KeyPair;
  /** Takes over `at` (milliseconds since the epoch). */
  next?: KeyPair & { at: number };
  /** PEM: pairs of an endorsement and the certificate of the authority that gave it, the newest first. */
  endorsements: string;
}

export interface AuthorityFolder {
  folder: string;
  /** What its server may be called, and those of these names that a person asked for. */
  names: readonly string[];
  asked: readonly string[];
  now: number;
  log: (line: string) => void;
}

/**
 * Reads the authority, or makes one where there is none. One that is not valid now, or not for long, or not for a name that a
 * person asked for, gets a new certificate for the same key: a clock that was wrong at the first start, or ten years, lock nobody out. One whose successor is due is
 * replaced by it. Throws PlumbError `AuthorityUnusable` (terminal) when half of it is missing: a new one would lock every
 * agent and kubeconfig out without a word.
 */
export async function openAuthority(where: AuthorityFolder): Promise<Authority> {
  const { folder, names, now, log } = where;
  const file = (name: string) => readPrivate(join(folder, name), { log });
  const [certificate, key, nextCertificate, nextKey, nextText, endorsements = ''] = await Promise.all(
    ['ca.crt', 'ca.key', 'next.crt', 'next.key', 'next.json', 'endorsements.crt'].map(file),
  );
  if (certificate === undefined) {
    // A key alone is what a start leaves that was killed between the two files: nothing was signed with it yet.
    const { makeAuthority } = await import('./certificates.ts');
    const made = await makeAuthority(now, VALID_DAYS, names);
    await writePair(folder, 'ca', made);
    return { current: made, endorsements: '' };
  }
  if (key === undefined) throw unusable(folder, 'ca.key is missing');
  const next = nextCertificate && !belongTogether(certificate, key) && belongTogether(nextCertificate, key);
  // Killed while the successor took over: its key has come, its certificate has not.
  if (next) return { current: await finishTakeover(folder, { certificate: nextCertificate, key }), endorsements };
  if (!belongTogether(certificate, key)) throw unusable(folder, 'ca.key is the key of another certificate');
  const current = await validNow({ certificate, key }, where);
  if (nextCertificate === undefined || nextKey === undefined) return { current, endorsements };
  const successor = { certificate: nextCertificate, key: nextKey, at: timeIn(nextText) };
  if (now < successor.at) return { current, next: successor, endorsements };
  return takeOver(where, { current, next: successor, endorsements });
}

/** Makes a successor that takes over `at`, or says of the one that there is when it does. */
export async function planSuccessor(where: AuthorityFolder, authority: Authority, at: number): Promise<Authority> {
  const { folder, names, now } = where;
  await writePrivate(join(folder, 'next.json'), `${JSON.stringify({ takesOverAt: new Date(at).toISOString() })}\n`);
  if (authority.next) return { ...authority, next: { ...authority.next, at } };
  const { makeAuthority } = await import('./certificates.ts');
  const made = await makeAuthority(now, VALID_DAYS, names);
  await writePair(folder, 'next', made);
  return { ...authority, next: { ...made, at } };
}

/** When nothing of it is to be replaced. */
export function authorityGood({ current, next }: Authority): Span {
  const { from, until } = certificateGood(current.certificate);
  return { from, until: Math.min(until, next?.at ?? Number.POSITIVE_INFINITY) };
}

function certificateGood(certificate: string): Span {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return { from: validFromDate.getTime(), until: validToDate.getTime() - RENEW_BEFORE_DAYS * DAY };
}

/** What clients are to trust: both, while one follows the other. */
export function trusted({ current, next }: Authority): string {
  return current.certificate + (next?.certificate ?? '');
}

/** Pins by which agents may know it. */
export function pinsOf({ current, next, endorsements }: Authority): string[] {
  const all = [current.certificate, ...(next ? [next.certificate] : []), ...splitPem(endorsements)];
  return [...new Set(all.map((certificate) => caPin(certificate)))];
}

/** Those of the names that the authority may vouch for. */
export function permittedNames(certificate: string, names: readonly string[]): string[] {
  const permitted = permittedBy(certificate);
  return permitted ? names.filter((name) => permits(permitted, name)) : [...names];
}

/** Certificates in a text, each as PEM. */
export function splitPem(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}

async function validNow(pair: KeyPair, { folder, names, asked, now, log }: AuthorityFolder): Promise<KeyPair> {
  const good = certificateGood(pair.certificate);
  const unknown = asked.filter((name) => !permittedNames(pair.certificate, asked).includes(name)).join(', ');
  const why =
    now < good.from
      ? 'was not valid yet'
      : now >= good.until
        ? 'is near its end'
        : unknown !== '' && `was not made for ${unknown}`;
  if (!why) return pair;
  const { renewAuthority } = await import('./certificates.ts');
  const renewed = await renewAuthority(pair, now, VALID_DAYS, names);
  await writePrivate(join(folder, 'ca.crt'), renewed.certificate);
  log(
    `the certificate of the authority ${why}: its key has a new one, valid until ${dateOf(renewed.certificate)}; replace copies of the kubeconfig`,
  );
  return renewed;
}

/** First what the old key still has to sign; then the new key takes the place of the old one, which is gone with that. */
async function takeOver(
  where: AuthorityFolder,
  { current, next, endorsements }: Required<Authority>,
): Promise<Authority> {
  const { folder, now, log } = where;
  const { endorse } = await import('./certificates.ts');
  const all = [await endorse(current, next.certificate, now), current.certificate, ...splitPem(endorsements)];
  const kept = all.slice(0, 2 * MOST_ENDORSEMENTS).join('');
  await writePrivate(join(folder, 'endorsements.crt'), kept);
  await rename(join(folder, 'next.key'), join(folder, 'ca.key'));
  const taken = await finishTakeover(folder, next);
  log(
    `the authority was replaced: the new one has the pin ${caPin(taken.certificate)}, and is valid until ${dateOf(taken.certificate)}`,
  );
  return { current: taken, endorsements: kept };
}

async function finishTakeover(folder: string, { certificate, key }: KeyPair): Promise<KeyPair> {
  await rename(join(folder, 'next.crt'), join(folder, 'ca.crt'));
  await rm(join(folder, 'next.json'), { force: true });
  return { certificate, key };
}

async function writePair(folder: string, name: string, { certificate, key }: KeyPair): Promise<void> {
  await writePrivate(join(folder, `${name}.key`), key);
  await writePrivate(join(folder, `${name}.crt`), certificate);
}

/** Whether the key is that of the certificate. */
export function belongTogether(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** A time that cannot be read is past: who asked for a successor wants it. */
function timeIn(text: string | undefined): number {
  try {
    return Date.parse((JSON.parse(text ?? '{}') as { takesOverAt?: string }).takesOverAt ?? '') || 0;
  } catch {
    return 0;
  }
}

function dateOf(certificate: string): string {
  return new X509Certificate(certificate).validToDate.toISOString().slice(0, 10);
}

function unusable(folder: string, why: string) {
  return terminal(
    'AuthorityUnusable',
    `the certificate authority in ${folder} cannot be used: ${why}. Restore the folder from a backup, or remove it to make a new authority; agents then need the new join-token and people the new kubeconfig`,
  );
}
