import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { ToolAnswer } from '../../src/conversation/tools/answer.ts';
import { callHttpTool } from '../../src/conversation/tools/http.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { agentOf } from './talk.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(handler: Handler): Promise<{ url: string; seen: Seen[]; server: Server }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      handler(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, server };
}

function call(
  http: Record<string, unknown>,
  of: {
    args?: Record<string, unknown>;
    clock?: FakeClock;
    signal?: AbortSignal;
    isForbidden?: (address: string) => boolean;
  } = {},
): Promise<ToolAnswer> {
  const agent = agentOf({ tools: [{ name: 't', http: { allowPrivateAddresses: true, ...http } }] });
  const [tool] = agent.tools;
  if (!tool || !('http' in tool)) throw new Error('not an HTTP tool');
  return callHttpTool(
    {
      tool,
      arguments: of.args ?? {},
      idempotencyKey: 'key-1',
      signal: of.signal ?? new AbortController().signal,
    },
    {
      clock: of.clock ?? systemClock,
      ...(of.isForbidden ? { isForbidden: of.isForbidden } : {}),
    },
  );
}

test('arguments go out as JSON and the body comes back as text', async () => {
  const { url, seen } = await serve((_, response) => response.end('{"status":"baking"}'));
  expect(await call({ url }, { args: { id: 7 } })).toEqual({
    outcome: 'ok',
    text: '{"status":"baking"}',
  });
  expect(seen).toMatchObject([
    { method: 'POST', body: '{"id":7}', headers: { 'idempotency-key': 'key-1' } },
  ]);
});

test('an empty success is told by its status', async () => {
  const { url } = await serve((_, response) => response.writeHead(204).end());
  expect(await call({ url })).toEqual({ outcome: 'ok', text: '{"status":204}' });
});

test('a failure is told to the model with status and body', async () => {
  const { url } = await serve((_, response) => response.writeHead(404).end('no such order'));
  expect(await call({ url })).toEqual({
    outcome: 'failed',
    text: '{"error":"HTTP 404","body":"no such order"}',
  });
});

test('secret headers are read from their file at each call', async () => {
  const { url, seen } = await serve((_, response) => response.end());
  const folder = await mkdtemp(join(tmpdir(), 'tool-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const headersFile = join(folder, 'headers.json');
  for (const key of ['one', 'two']) {
    await writeFile(headersFile, JSON.stringify({ Authorization: key }));
    await call({ url, headersFile });
  }
  expect(seen.map(({ headers }) => headers.authorization)).toEqual(['one', 'two']);
  await writeFile(headersFile, '{"Authorization": 1}');
  expect(await call({ url, headersFile })).toEqual({
    outcome: 'failed',
    text: '{"error":"the tool is not configured correctly"}',
  });
  expect(seen).toHaveLength(2);
});

test('of an endless body 64 KiB are read', async () => {
  let isClosed = false;
  const { url } = await serve((_, response) => {
    const write = (): void => {
      while (response.write('x'.repeat(16_384)));
    };
    response.on('drain', write).on('close', () => (isClosed = true));
    write();
  });
  const answer = await call({ url });
  expect(answer.outcome).toBe('ok');
  expect(answer.text.length).toBeLessThan(66_000);
  expect(answer.text).toMatch(/\(the rest was cut off\)$/);
  await expect.poll(() => isClosed).toBe(true);
});

test.each([
  { method: 'POST', idempotent: false, advice: 'do not try again' },
  { method: 'POST', idempotent: true, advice: 'it may be tried again' },
  { method: 'GET', idempotent: false, advice: 'it may be tried again' },
])('a service that does not answer: $method, idempotent $idempotent', async (row) => {
  const { url, seen } = await serve(() => undefined);
  const clock = new FakeClock();
  const { method, idempotent } = row;
  const answer = call({ url, method, idempotent, timeoutSeconds: 5 }, { clock });
  await expect.poll(() => seen.length).toBe(1);
  clock.advance(5000);
  expect(await answer).toMatchObject({ outcome: 'failed' });
  expect((await answer).text).toContain('no answer within 5 s');
  expect((await answer).text).toContain(row.advice);
  expect(clock.pending).toBe(0);
});

test('a service that stops in the middle of its body', async () => {
  const { url } = await serve((_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    setImmediate(() => response.destroy());
  });
  expect((await call({ url })).text).toContain('could not be reached');
});

test('a closed port', async () => {
  const { url, server } = await serve(() => undefined);
  server.close();
  expect((await call({ url })).text).toContain('could not be reached');
});

test('the end of the conversation aborts the request and leaves no timer', async () => {
  const { url, seen } = await serve(() => undefined);
  const clock = new FakeClock();
  const abort = new AbortController();
  const answer = call({ url }, { clock, signal: abort.signal });
  await expect.poll(() => seen.length).toBe(1);
  abort.abort();
  expect((await answer).outcome).toBe('failed');
  expect(clock.pending).toBe(0);
});

test.each([
  'http://127.0.0.1:PORT/',
  'http://localhost:PORT/',
  'http://[::1]:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
  'http://2130706433:PORT/',
  'http://0x7f.1:PORT/',
  'http://169.254.169.254/latest/meta-data/',
])('%s is refused without a connection', async (target) => {
  const { url, seen } = await serve((_, response) => response.end('secret'));
  const answer = await call({
    url: target.replace('PORT', new URL(url).port),
    allowPrivateAddresses: false,
  });
  expect(answer).toEqual({
    outcome: 'refused',
    text: '{"error":"the address of the tool is not allowed"}',
  });
  expect(seen).toEqual([]);
});

/** Stands for a public server that redirects to one inside. */
const onlyLocalhost = (address: string): boolean => address !== '127.0.0.1';

test('a redirect to a forbidden address is refused', async () => {
  const { url, seen } = await serve((_, response) =>
    response.writeHead(302, { location: 'http://127.0.0.2:1/' }).end(),
  );
  const answer = await call({ url, allowPrivateAddresses: false }, { isForbidden: onlyLocalhost });
  expect(answer.outcome).toBe('refused');
  expect(seen).toHaveLength(1);
});

test('redirects are followed, the keys of the tool stay behind at another origin', async () => {
  const second = await serve((_, response) => response.end('here'));
  const first = await serve((_, response) =>
    response.writeHead(307, { location: `${second.url}/there` }).end(),
  );
  const answer = await call(
    { url: first.url, headers: { Authorization: 'secret' } },
    { args: { id: 7 } },
  );
  expect(answer).toEqual({ outcome: 'ok', text: 'here' });
  expect(first.seen[0]?.headers.authorization).toBe('secret');
  expect(second.seen).toMatchObject([{ method: 'POST', url: '/there', body: '{"id":7}' }]);
  expect(second.seen[0]?.headers).not.toHaveProperty('authorization');
});

test('a circle of redirects is left', async () => {
  const { url, seen } = await serve((_, response) =>
    response.writeHead(302, { location: '/again' }).end(),
  );
  expect(await call({ url })).toEqual({
    outcome: 'failed',
    text: '{"error":"too many redirects"}',
  });
  expect(seen).toHaveLength(4);
});
