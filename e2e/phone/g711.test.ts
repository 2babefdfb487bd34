import * as connector from '@parley/connector/media/audio/g711';
import { expect, test } from 'vitest';
import { decode, encode } from './g711.ts';

test.each(['pcmu', 'pcma'] as const)(
  'every code of %s has the value the connector gives it',
  (law) => {
    const codes = Uint8Array.from({ length: 256 }, (_, code) => code);
    expect([...decode(law, codes)]).toEqual([...connector.decode(law, codes)]);
  },
);

test.each(['pcmu', 'pcma'] as const)(
  'every sample is coded no farther from itself than the connector codes it, in %s',
  (law) => {
    const samples = Int16Array.from({ length: 65_536 }, (_, n) => n - 32_768);
    const ours = decode(law, encode(law, samples));
    const theirs = decode(law, connector.encode(law, samples));
    const worse = samples.filter((sample, n) => {
      const [own, other] = [Math.abs(ours[n]! - sample), Math.abs(theirs[n]! - sample)];
      return own > other;
    });
    expect(worse).toHaveLength(0);
  },
);
