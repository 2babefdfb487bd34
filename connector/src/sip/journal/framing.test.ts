import { expect, test } from 'vitest';
import { encodeRecord, fileHead, readJournal } from './framing.ts';

const records = [
  encodeRecord('dialog a', { cseq: 1 }),
  encodeRecord('dialog b', { cseq: 7, party: 'Zoë' }),
  encodeRecord('dialog a', { cseq: 2 }),
  encodeRecord('dialog b'),
];
const whole = Buffer.concat([fileHead(), ...records]);

/** What the first so many records leave. */
const expected = [
  {},
  { 'dialog a': { cseq: 1 } },
  { 'dialog a': { cseq: 1 }, 'dialog b': { cseq: 7, party: 'Zoë' } },
  { 'dialog a': { cseq: 2 }, 'dialog b': { cseq: 7, party: 'Zoë' } },
  { 'dialog a': { cseq: 2 } },
];

test('a journal cut at any byte gives what the whole records before it say', () => {
  for (let cut = 0; cut <= whole.length; cut++) {
    let complete = 0;
    let end = fileHead().length;
    for (const record of records) {
      end += record.length;
      if (end <= cut) complete++;
    }
    const reading = readJournal(whole.subarray(0, cut));
    if (reading.kind !== 'journal') throw new Error(`cut at ${cut}: ${reading.problem}`);
    expect(Object.fromEntries(reading.values)).toEqual(expected[complete]);
  }
});

test('a record with a wrong bit ends the reading before it', () => {
  const damaged = Buffer.from(whole);
  const at = damaged.length - (records[3]?.length ?? 0) + 10;
  damaged[at] = (damaged[at] ?? 0) ^ 1;
  const reading = readJournal(damaged);
  expect(reading.kind === 'journal' && Object.fromEntries(reading.values)).toEqual(expected[3]);
});

test.each([
  ['PARLEYJ9 and more', 'it is of another version'],
  ['#!/bin/sh', 'it is no journal'],
])('%s is refused', (text, problem) => {
  expect(readJournal(Buffer.from(text))).toEqual({ kind: 'foreign', problem });
});
