import { expect, test } from 'vitest';
import type { Line } from '../media/line.ts';
import { Playout } from './playout.ts';

test.each([
  { format: 'pcmu', bytesPerMillisecond: 8 },
  { format: 'pcm16k', bytesPerMillisecond: 32 },
  { format: 'pcm24k', bytesPerMillisecond: 48 },
] as const)('positions are eighths of a ms on a line of $format', (row) => {
  const { format, bytesPerMillisecond } = row;
  const playout = new Playout();
  playout.format = format;
  playout.play(Buffer.alloc(100 * bytesPerMillisecond));
  expect(playout.position).toEqual({ queued: 800, played: 0 });
  const line: Line & { queuedBytes: number; playedBytes: number } = {
    format,
    queuedBytes: 0,
    playedBytes: 0,
    play: (audio) => {
      line.queuedBytes += audio.length;
    },
    clear: () => undefined,
  };
  playout.attach(line);
  line.playedBytes = 40 * bytesPerMillisecond;
  expect(playout.position).toEqual({ queued: 800, played: 320 });
});
