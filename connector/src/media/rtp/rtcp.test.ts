import { expect, test } from 'vitest';
import { buildReport, parseReport, type Report, reportInterval, shortNtp } from './rtcp.ts';

const block = {
  ssrc: 0x0102_0304,
  fractionLost: 25,
  cumulativeLost: -3,
  highestSequence: 65_537,
  jitter: 40,
  lastReport: 0x1234_5678,
  delay: 65_536,
};

function report(overrides: Partial<Report> = {}): Report {
  const sender = {
    wall: 1_700_000_000_500,
    timestamp: 0xffff_fff0,
    packets: 100,
    sizeBytes: 16_000,
  };
  return { ssrc: 0xaabb_ccdd, cname: 'call', sender, block, isBye: false, ...overrides };
}

test('a sender report is as RFC 3550 draws it', () => {
  expect(buildReport(report()).toString('hex')).toBe(
    [
      '81c8000c',
      'aabbccdd',
      // 1 700 000 000.5 s after 1970.
      'e8fe6f80',
      '80000000',
      'fffffff0',
      '00000064',
      '00003e80',
      '01020304',
      '19fffffd',
      '00010001',
      '00000028',
      '12345678',
      '00010000',
      '81ca0003',
      'aabbccdd',
      '010463616c6c0000',
    ].join(''),
  );
});

test.each([
  { name: 'sender report', given: report() },
  { name: 'sender report without block', given: report({ block: undefined }) },
  { name: 'receiver report', given: report({ sender: undefined }) },
  { name: 'empty report', given: report({ sender: undefined, block: undefined }) },
  { name: 'last report', given: report({ isBye: true }) },
])('a $name is read back', ({ given }) => {
  expect(parseReport(buildReport(given))).toEqual({
    ssrc: given.ssrc,
    ntp: given.sender ? shortNtp(given.sender.wall) : undefined,
    blocks: given.block ? [block] : [],
    hasBye: given.isBye,
  });
});

test.each(['', 'a', 'ab', 'abc', 'abcd', 'x'.repeat(300)])(
  'SDES ends with a zero at a word’s end for "%s"',
  (cname) => {
    const packet = buildReport(report({ sender: undefined, block: undefined, cname }));
    expect(packet.length % 4).toBe(0);
    expect(packet.at(-1)).toBe(0);
    expect(parseReport(packet)).toBeDefined();
  },
);

test('every truncation and every first type is read or refused', () => {
  const whole = buildReport(report({ isBye: true }));
  for (let size = 0; size < whole.length; size++)
    expect(() => parseReport(whole.subarray(0, size))).not.toThrow();
  for (let type = 0; type < 256; type++) {
    const other = Buffer.from(whole);
    other[1] = type;
    expect(() => parseReport(other)).not.toThrow();
  }
});

test.each([
  { name: 'SDES first', packet: buildReport(report()).subarray(52) },
  { name: 'a length past the end', packet: Buffer.from('81c800ffaabbccdd', 'hex') },
  { name: 'another version', packet: Buffer.from('41c90001aabbccdd', 'hex') },
  { name: 'a sender report without its info', packet: Buffer.from('80c80001aabbccdd', 'hex') },
  { name: 'nothing', packet: Buffer.alloc(0) },
])('$name is refused', ({ packet }) => {
  expect(parseReport(packet)).toBeUndefined();
});

test.each([
  { random: 0, isFirst: false, want: 2052 },
  { random: 0.5, isFirst: false, want: 4104 },
  { random: 1, isFirst: false, want: 6156 },
  { random: 0.5, isFirst: true, want: 2052 },
])('with $random the next report is in $want ms', ({ random, isFirst, want }) => {
  expect(Math.round(reportInterval(random, isFirst))).toBe(want);
});
