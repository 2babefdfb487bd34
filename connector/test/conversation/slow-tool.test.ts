import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { speakerByte, Talk } from './talk.ts';

async function withSlowTool(
  run: (talk: Talk, respond: (text: string) => void) => Promise<void>,
  of: { speaker?: 'none' } = {},
): Promise<void> {
  const waiting: ServerResponse[] = [];
  const server = createServer((_, response) => waiting.push(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const http = { url: `http://127.0.0.1:${port}`, allowPrivateAddresses: true };
  const talk = await Talk.begun({ agent: { tools: [{ name: 'order', http }] }, ...of });
  talk.session.emit(
    { type: 'reply-started', reply: 'r' },
    { type: 'tool-call', callId: 'c', name: 'order', arguments: '{}' },
    { type: 'reply-ended', reply: 'r', status: 'completed' },
  );
  await expect.poll(() => waiting.length).toBe(1);
  try {
    await run(talk, (text) => waiting[0]?.end(text));
  } finally {
    talk.end();
    server.closeAllConnections();
    server.close();
  }
  await expect.poll(() => talk.clock.pending).toBe(0);
}

test('a caller who waits 3 s for a tool hears that he is not forgotten', () =>
  withSlowTool(async (talk, respond) => {
    await talk.pass(2900);
    expect(talk.line.sounds).not.toContain(speakerByte);
    await talk.pass(200);
    expect(talk.line.sounds).toContain(speakerByte);
    respond('baking');
    await expect.poll(() => talk.session.calls).toEqual(['result c baking', 'respond']);
  }));

test('without a voice he waits in silence', () =>
  withSlowTool(
    async (talk) => {
      const before = talk.line.playedBytes;
      await talk.pass(8000);
      expect(talk.line.playedBytes).toBe(before);
    },
    { speaker: 'none' },
  ));

test('a tool does not count as silence of the caller', () =>
  withSlowTool(
    async (talk) => {
      await talk.pass(9900);
      expect(talk.session.calls.filter((call) => call.startsWith('say'))).toEqual([]);
    },
    { speaker: 'none' },
  ));

test('a session lost while the tool runs: its repetition is answered by the same run', () =>
  withSlowTool(async (talk, respond) => {
    talk.session.emit({ type: 'lost', code: 'gone', message: '', retryable: true });
    await talk.pass(20);
    talk.session.emit({ type: 'tool-call', callId: 'd', name: 'order', arguments: ' {}' });
    respond('baking');
    await expect.poll(() => talk.session.calls).toContain('result d baking');
  }));
