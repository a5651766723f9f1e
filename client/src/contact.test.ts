import { FakeClock } from '@plumb/reconciler/runtime/fake-clock.ts';
import { terminal } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { Contact, Contacts } from './contact.ts';

const away = (message = 'away') => terminal('Unreachable', message);

test('what one waited for in vain counts for all who were there, until somebody is answered', async () => {
  const clock = new FakeClock();
  const contact = new Contact(clock);
  const began = clock.now();
  await clock.advance(30_000);
  const lost = contact.lose(away(), began);
  expect(contact.lostFor(began)).toBe(lost);
  expect(contact.lose(away('later'), began)).toBe(lost);
  expect(contact.lostFor(clock.now() + 1)).toBeUndefined();
  contact.answered();
  expect(contact.lostFor(began)).toBeUndefined();
});

test('a request that timed out while another was answered does not make the server count as lost', async () => {
  const clock = new FakeClock();
  const contact = new Contact(clock);
  const began = clock.now();
  await clock.advance(1);
  contact.answered();
  const own = away();
  expect(contact.lose(own, began)).toBe(own);
  expect(contact.lostFor(began)).toBeUndefined();
});

test('a server that is away is asked now and then, by one', async () => {
  const clock = new FakeClock();
  const contact = new Contact(clock);
  expect(contact.mayAsk()).toBe(false);
  contact.lose(away(), clock.now());
  await clock.advance(999);
  expect(contact.mayAsk()).toBe(false);
  await clock.advance(1);
  expect([contact.mayAsk(), contact.mayAsk()]).toEqual([true, false]);
});

test('a contact is shared by those who ask the same servers as the same, and by no others', () => {
  const contacts = new Contacts(new FakeClock());
  const one = contacts.of({ endpoints: ['https://a'], token: 'x' });
  expect(contacts.of({ endpoints: ['https://a'], token: 'x' })).toBe(one);
  expect(contacts.of({ endpoints: ['https://a'], token: 'y' })).not.toBe(one);
  expect(contacts.of({ endpoints: ['https://b'], token: 'x' })).not.toBe(one);
});
