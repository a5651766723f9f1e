import { expect, test } from 'vitest';
import { serviceAccountName } from './policy.ts';
import { serviceAccountGroups, serviceAccountOf } from './service-account-name.ts';
import { ServiceAccounts } from './service-accounts.ts';

test('a ServiceAccount is known by its name as a user, and no other user is taken for one', () => {
  expect(serviceAccountOf(serviceAccountName('lab', 'ci'))).toEqual({ namespace: 'lab', name: 'ci' });
  for (const other of [
    'lab:ci',
    'user:serviceaccountx:lab:ci',
    'System:serviceaccount:lab:ci',
    'system:serviceaccount:lab',
    'system:serviceaccount:lab:',
    'system:serviceaccount::ci',
    'system:serviceaccount:lab:ci:x',
    '',
  ])
    expect([other, serviceAccountOf(other)]).toEqual([other, undefined]);
  expect(serviceAccountGroups('lab')).toEqual(['system:serviceaccounts', 'system:serviceaccounts:lab']);
});

test('what an account began goes on when its object changes, and ends when it goes or is another one', () => {
  const accounts = new ServiceAccounts();
  accounts.put('lab', 'ci', 'u1');
  const first = accounts.get('lab', 'ci')!;
  accounts.put('lab', 'ci', 'u1');
  accounts.put('lab', 'other', 'u2');
  accounts.remove('lab', 'other');
  expect([accounts.get('lab', 'ci'), first.until.aborted]).toEqual([first, false]);
  accounts.put('lab', 'ci', 'u3');
  const second = accounts.get('lab', 'ci')!;
  expect([first.until.aborted, second.until.aborted, second.uid]).toEqual([true, false, 'u3']);
  accounts.remove('lab', 'ci');
  expect([second.until.aborted, accounts.get('lab', 'ci')]).toEqual([true, undefined]);
});
