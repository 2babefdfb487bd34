import { expect, test } from 'vitest';
import type { AudioFormat } from '../media/format.ts';
import type { Provider, Session, SessionEvent, SessionOptions } from './session.ts';
import { openInFormat } from './transcoded.ts';

const none = () => undefined;

/** A provider that says how long what it hears is, and answers with `reply`. */
function provider(formats: readonly AudioFormat[] | undefined, reply: Buffer) {
  const opened: SessionOptions[] = [];
  const heard: number[] = [];
  const made: Provider = {
    name: 'narrow',
    formats,
    open: (options, onEvent) => {
      opened.push(options);
      const session: Session = {
        appendAudio: (audio) => {
          heard.push(audio.length);
          onEvent({ type: 'audio', reply: 'r', item: 'i', audio: reply });
        },
        appendDigit: none,
        say: none,
        respond: none,
        interrupt: none,
        addToolResult: none,
        close: none,
      };
      return Promise.resolve(session);
    },
    close: () => Promise.resolve(),
  };
  return { made, opened, heard };
}

test.each([
  { taken: undefined, line: 'pcm24k', opened: 'pcmu', heard: 160, reply: 160, said: 960 },
  { taken: ['pcm16k'], line: 'pcmu', opened: 'pcm16k', heard: 640, reply: 640, said: 160 },
  {
    taken: ['pcmu', 'pcm24k'],
    line: 'pcm16k',
    opened: 'pcm24k',
    heard: 960,
    reply: 960,
    said: 640,
  },
  {
    taken: ['pcmu', 'pcm24k'],
    line: 'pcm24k',
    opened: 'pcm24k',
    heard: 960,
    reply: 960,
    said: 960,
  },
] as const)('a line of $line to a provider of $taken', async (row) => {
  const { made, opened, heard } = provider(row.taken, Buffer.alloc(row.reply));
  const events: SessionEvent[] = [];
  const session = await openInFormat(
    made,
    { format: row.line, instructions: '', tools: [], history: [] },
    { onEvent: (event) => void events.push(event), signal: new AbortController().signal },
  );
  const frame = { pcmu: 160, pcm16k: 640, pcm24k: 960 }[row.line];
  session.appendAudio(Buffer.alloc(frame));
  expect([opened[0]?.format, heard]).toEqual([row.opened, [row.heard]]);
  expect(events.map((event) => event.type === 'audio' && event.audio.length)).toEqual([row.said]);
});
