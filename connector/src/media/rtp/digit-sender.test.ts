import { expect, test } from 'vitest';
import { areDigits, DigitSender, maxDigits } from './digit-sender.ts';
import { TelephoneEventReceiver } from './telephone-event.ts';

const frameLimit = 10_000;

/** All frames until the sender is idle, as text: the event's hex, `!` for its first. */
function frames(sender: DigitSender, ptime: number): string[] {
  const all: string[] = [];
  while (sender.isBusy && all.length < frameLimit) {
    const frame = sender.next(ptime);
    if (frame.kind === 'event')
      all.push(`${frame.isFirst ? '!' : ''}${frame.payload.toString('hex')}`);
    else all.push(frame.kind);
  }
  return all;
}

test('a press begins once, grows with each frame, and ends three times', () => {
  const sender = new DigitSender();
  expect(sender.push('5')).toBe(true);
  expect(frames(sender, 20)).toEqual([
    '!050a00a0',
    '050a0140',
    '050a01e0',
    '050a0280',
    '058a0320',
    '058a0320',
    '058a0320',
    ...Array.from({ length: 5 }, () => 'pause'),
  ]);
  expect(sender.next(20)).toEqual({ kind: 'idle' });
});

test.each([10, 20, 30, 40, 60])('our own receiver reads them at %i ms a packet', (ptime) => {
  const heard: string[] = [];
  const receiver = new TelephoneEventReceiver((digit) => void heard.push(digit));
  const sender = new DigitSender();
  sender.push('0119*#AD');
  let at = 0;
  for (let now = 0, frame = sender.next(ptime); frame.kind !== 'idle'; now += ptime) {
    if (frame.kind === 'event') {
      if (frame.isFirst) at = now * 8;
      receiver.receive(frame.payload, { start: 0, timestamp: at, ssrc: 1 }, now);
    }
    frame = sender.next(ptime);
  }
  expect(heard.join('')).toBe('0119*#AD');
});

test('what is no key is refused whole, and so is too much', () => {
  const sender = new DigitSender();
  expect(['', '12x', ' ', 'a', '1'.repeat(maxDigits + 1)].map(areDigits)).toEqual(
    Array.from({ length: 5 }, () => false),
  );
  expect(sender.push('12x')).toBe(false);
  expect(sender.push('1'.repeat(maxDigits))).toBe(true);
  expect(sender.push('1')).toBe(false);
  sender.clear();
  expect(sender.isBusy).toBe(false);
});
