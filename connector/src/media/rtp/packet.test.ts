import { expect, test } from 'vitest';
import { isRtcp, RtpReader, writeRtpHeader } from './packet.ts';

function packet(first: number, ...rest: readonly number[]): Buffer {
  const header = Buffer.alloc(12);
  writeRtpHeader(header, {
    payloadType: 8,
    hasMarker: true,
    sequence: 65_535,
    timestamp: 0xffff_fff0,
    ssrc: 0xdead_beef,
  });
  header[0] = first;
  return Buffer.concat([header, Buffer.from(rest)]);
}

function payloadOf(bytes: Buffer): number[] | 'refused' {
  const reader = new RtpReader();
  return reader.read(bytes)
    ? [...bytes.subarray(reader.payloadStart, reader.payloadEnd)]
    : 'refused';
}

test('what was written is read', () => {
  const reader = new RtpReader();
  expect(reader.read(packet(0x80, 1, 2))).toBe(true);
  expect(reader).toMatchObject({
    payloadType: 8,
    hasMarker: true,
    sequence: 65_535,
    timestamp: 0xffff_fff0,
    ssrc: 0xdead_beef,
    payloadStart: 12,
    payloadEnd: 14,
  });
});

test.each([
  { name: 'plain', bytes: packet(0x80, 1, 2), want: [1, 2] },
  { name: 'no payload', bytes: packet(0x80), want: [] },
  { name: 'padding', bytes: packet(0xa0, 1, 2, 0, 0, 3), want: [1, 2] },
  { name: 'padding of all', bytes: packet(0xa0, 0, 0, 3), want: [] },
  { name: 'two sources', bytes: packet(0x82, 9, 9, 9, 9, 8, 8, 8, 8, 1), want: [1] },
  { name: 'extension', bytes: packet(0x90, 0xbe, 0xde, 0, 1, 7, 7, 7, 7, 1, 2), want: [1, 2] },
  { name: 'empty extension', bytes: packet(0x90, 0xbe, 0xde, 0, 0, 1), want: [1] },
  {
    name: 'source, extension and padding',
    bytes: packet(0xb1, 9, 9, 9, 9, 0, 0, 0, 1, 7, 7, 7, 7, 1, 0, 2),
    want: [1],
  },
] as const)('the payload is found: $name', ({ bytes, want }) => {
  expect(payloadOf(bytes)).toEqual(want);
});

test.each([
  { name: 'version 1', bytes: packet(0x40, 1) },
  { name: 'short header', bytes: packet(0x80).subarray(0, 11) },
  { name: 'nothing', bytes: Buffer.alloc(0) },
  { name: 'sources cut off', bytes: packet(0x82, 9, 9, 9, 9) },
  { name: 'extension header cut off', bytes: packet(0x90, 0xbe, 0xde, 0) },
  { name: 'extension cut off', bytes: packet(0x90, 0xbe, 0xde, 0, 2, 7, 7, 7, 7) },
  { name: 'padding of 0', bytes: packet(0xa0, 1, 0) },
  { name: 'more padding than there is', bytes: packet(0xa0, 1, 2, 9) },
])('$name is refused', ({ bytes }) => {
  expect(payloadOf(bytes)).toBe('refused');
});

test('every truncation is read or refused', () => {
  const whole = packet(0xb1, 9, 9, 9, 9, 0, 0, 0, 1, 7, 7, 7, 7, 1, 0, 2);
  for (let size = 0; size < whole.length; size++)
    expect(() => payloadOf(whole.subarray(0, size))).not.toThrow();
});

test.each([
  [191, false],
  [192, true],
  [200, true],
  [223, true],
  [224, false],
  [0x80, false],
])('on a shared port a second byte of %i is RTCP: %s', (second, want) => {
  expect(isRtcp(Buffer.from([0x80, second]))).toBe(want);
});
