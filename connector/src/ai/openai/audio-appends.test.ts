import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { AudioAppends } from './audio-appends.ts';

function build(length: number) {
  const clock = new FakeClock();
  const sent: Buffer[] = [];
  const send = (event: Buffer) => {
    const { type, audio } = JSON.parse(event.toString()) as { type: string; audio: string };
    expect(type).toBe('input_audio_buffer.append');
    sent.push(Buffer.from(audio, 'base64'));
  };
  return {
    clock,
    sent,
    appends: new AudioAppends({
      bytesPerMs: 8,
      clock,
      length,
      send,
    }),
  };
}

const packet = (fill: number, ms = 20) => Buffer.alloc(ms * 8, fill);

test('a packet of the length goes at once, without a timer', () => {
  const { clock, sent, appends } = build(20);
  appends.add(packet(1));
  expect(sent).toEqual([packet(1)]);
  expect(clock.pending).toBe(0);
});

test('packets are joined to events of the length, in order', () => {
  const { clock, sent, appends } = build(60);
  for (let fill = 1; fill <= 6; fill++) appends.add(packet(fill));
  expect(sent).toEqual([
    Buffer.concat([packet(1), packet(2), packet(3)]),
    Buffer.concat([packet(4), packet(5), packet(6)]),
  ]);
  expect(clock.pending).toBe(0);
});

test('packets that do not divide the length make longer events, and lose nothing', () => {
  const { sent, appends } = build(40);
  for (let fill = 1; fill <= 4; fill++) appends.add(packet(fill, 30));
  expect(sent.map((audio) => audio.length)).toEqual([480, 480]);
});

test('the rest before a pause leaves one packet later than it would have', () => {
  const { clock, sent, appends } = build(60);
  appends.add(packet(1));
  clock.advance(79);
  expect(sent).toEqual([]);
  clock.advance(1);
  expect(sent).toEqual([packet(1)]);
});

test('flush sends what waits, and nothing when nothing does', () => {
  const { clock, sent, appends } = build(60);
  appends.add(packet(1));
  appends.flush();
  appends.flush();
  expect(sent).toEqual([packet(1)]);
  expect(clock.pending).toBe(0);
});

test('what was dropped is not sent', () => {
  const { clock, sent, appends } = build(60);
  appends.add(packet(1));
  appends.drop();
  clock.advance(1000);
  expect(sent).toEqual([]);
});
