import { array, assert, asyncProperty, nat, record, string } from 'fast-check';
import { expect, test } from 'vitest';
import { jsonLines } from './watch-lines.ts';

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const size of sizes) {
    yield bytes.subarray(from, from + size);
    from += size;
  }
  yield bytes.subarray(from);
}

async function read(text: string, sizes: readonly number[] = []): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const line of jsonLines(chunksOf(Buffer.from(text), sizes))) found.push(line);
  return found;
}

test('events are the same however the bytes are cut', async () => {
  const documents = array(record({ type: string(), name: string({ unit: 'grapheme' }) }));
  await assert(
    asyncProperty(documents, array(nat(30)), async (events, sizes) => {
      const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
      expect(await read(text, sizes)).toEqual(events);
    }),
    { numRuns: 200 },
  );
});

test('empty lines mean nothing', async () => {
  expect(await read('\n{"a":1}\r\n\n')).toEqual([{ a: 1 }]);
});

test.each([
  { name: 'cut within an event', text: '{"a":1}\n{"b"', reason: 'ConnectionFailed' },
  { name: 'not JSON', text: '<html>\n', reason: 'BadAnswer' },
])('$name fails', async ({ text, reason }) => {
  await expect(read(text)).rejects.toMatchObject({ name: 'KubeError', reason });
});

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield new Uint8Array(1024 * 1024).fill(65);
}

test('a line without an end is refused before it fills the memory', async () => {
  const reading = jsonLines(endless()).next();
  await expect(reading).rejects.toMatchObject({ reason: 'BadAnswer' });
});
