import { expect, test } from 'vitest';
import { OpenTransactions } from './open-transactions.ts';

test('a peer that floods is remembered with a bounded number of transactions', () => {
  const open = new OpenTransactions();
  for (let at = 0; at < 10_050; at++) {
    open.received(
      {
        kind: 'request',
        method: 'OPTIONS',
        uri: 'sip:b@b.test',
        headers: [{ name: 'Via', value: `SIP/2.0/TCP a.test;branch=z9hG4bK${at}` }],
        body: Buffer.alloc(0),
      },
      at,
    );
  }
  expect(open.count(10_050)).toBe(10_000);
});
