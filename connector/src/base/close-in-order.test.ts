import { expect, test } from 'vitest';
import { CloseInOrder } from './close-in-order.ts';
import { silentLog } from './log.ts';

test('parts close in reverse order, one after the other, whatever fails', async () => {
  const closed: string[] = [];
  const parts = new CloseInOrder(silentLog);
  parts.add('first', () => closed.push('first'));
  parts.add('second', () => Promise.reject(new Error('stuck')));
  parts.add('third', async () => {
    await Promise.resolve();
    closed.push('third');
  });
  await Promise.all([parts.close(), parts.close()]);
  expect(closed).toEqual(['third', 'first']);
});
