import { expect, test } from 'vitest';
import { bytesPerMillisecondOf } from '../media/format.ts';
import { EarlyCaller } from './early-caller.ts';

test.each(['pcmu', 'pcm16k', 'pcm24k'] as const)(
  'of %s the last ten seconds are kept',
  (format) => {
    const frame = 20 * bytesPerMillisecondOf(format);
    const early = new EarlyCaller(format);
    for (let index = 0; index < 600; index++) early.onAudio(Buffer.alloc(frame, index % 251));
    const heard: Buffer[] = [];
    early.handOver({
      onAudio: (audio) => void heard.push(audio),
      onDigit: () => undefined,
      onPlayed: () => undefined,
    });
    expect(heard.map((audio) => audio[0])).toEqual(
      Array.from({ length: 500 }, (_, index) => (index + 100) % 251),
    );
  },
);
