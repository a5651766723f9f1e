import { generateKeyPairSync } from 'node:crypto';
import { realAmbient } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { ServiceAccounts } from '../authorization/service-accounts.ts';
import { FakeClock } from '../runtime/fake-clock.ts';
import { AccountTokens, ISSUER } from './account-tokens.ts';

const YEAR_SECONDS = 365 * 86_400;
const CI = { namespace: 'lab', name: 'ci', uid: 'u1' };

function setUp() {
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const accounts = new ServiceAccounts();
  accounts.put('lab', 'ci', 'u1');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ambient = { ...realAmbient(), clock };
  return { clock, accounts, privateKey, ambient, tokens: new AccountTokens(privateKey, ambient, accounts) };
}

test('a token of a year is known for a year, also by the next process', async () => {
  const { clock, accounts, privateKey, ambient, tokens } = setUp();
  const { token, expiresAt } = tokens.issue(CI, [ISSUER], YEAR_SECONDS);
  expect(expiresAt - clock.now()).toBe(YEAR_SECONDS * 1000);
  await clock.advance((YEAR_SECONDS - 1) * 1000);
  expect(tokens.check(token, [ISSUER])?.user.name).toBe('system:serviceaccount:lab:ci');
  const next = new AccountTokens(privateKey, ambient, accounts);
  expect(next.check(token, [ISSUER])?.user.expiresAt).toBe(expiresAt);
  await clock.advance(1000);
  expect([tokens.check(token, [ISSUER]), next.check(token, [ISSUER])]).toEqual([undefined, undefined]);
});

test('a clock that is set back makes none of them valid before its time', async () => {
  const { clock, accounts, privateKey, tokens } = setUp();
  const { token } = tokens.issue(CI, [ISSUER], 600);
  const earlier = { ...realAmbient(), clock: new FakeClock(clock.now() - 60_000) };
  expect(new AccountTokens(privateKey, earlier, accounts).check(token, [ISSUER])).toBeUndefined();
});

test('the same identity is given each time, as long as the account is the same', () => {
  const { accounts, tokens } = setUp();
  const { token } = tokens.issue(CI, [ISSUER], 600);
  const first = tokens.check(token, [ISSUER])!.user;
  expect(tokens.check(token, [ISSUER])!.user).toBe(first);
  expect(first.until?.aborted).toBe(false);
  accounts.put('lab', 'ci', 'u2');
  expect(first.until?.aborted).toBe(true);
  expect(tokens.check(token, [ISSUER])).toBeUndefined();
});
