import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { DrachtioServer } from '../../src/drachtio/server.ts';
import type { SipRequest } from '../../src/sip/message/message.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ScriptedUserAgent, trace } from './scripted-user-agent.ts';
import { WireClient } from './wire-client.ts';

const secret = 'open sesame';

let server: DrachtioServer;
let userAgent: ScriptedUserAgent;
let port: number;
const clients: WireClient[] = [];

beforeEach(async () => {
  userAgent = new ScriptedUserAgent();
  server = new DrachtioServer({
    address: '127.0.0.1',
    port: 0,
    secret,
    clock: systemClock,
    log: silentLog,
  });
  port = await server.start(userAgent);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

async function stranger(): Promise<WireClient> {
  const client = await WireClient.connect(port);
  clients.push(client);
  return client;
}

async function application(): Promise<WireClient> {
  const client = await WireClient.authenticated(port, secret);
  clients.push(client);
  return client;
}

async function registered(...verbs: string[]): Promise<WireClient> {
  const client = await application();
  for (const verb of verbs) {
    client.send(`r|route|${verb}`);
    await client.next();
  }
  return client;
}

function deliver(method: string, transaction: string, body = ''): void {
  const message: SipRequest = {
    kind: 'request',
    method,
    uri: 'sip:a@b',
    headers: [{ name: 'Call-ID', value: `c-${transaction}` }],
    body: Buffer.from(body),
  };
  server.user.onRequest({ transaction, dialog: '', message, trace });
}

test('the right secret is answered with addresses and version', async () => {
  const client = await stranger();
  client.send(`m1|authenticate|${secret}|a,b`);
  expect(await client.next()).toBe(
    'ID|response|m1|OK|udp/192.0.2.1:5060,tcp/127.0.0.1:5060|v0.9.10-parley|udp/127.0.0.1:5060,tcp/127.0.0.1:5060',
  );
});

test('nothing is said before the client speaks', async () => {
  const client = await stranger();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(client.payloads).toEqual([]);
});

test.each([
  ['a wrong secret', 'm1|authenticate|other|', 'ID|response|m1|NO|incorrect secret'],
  ['no secret', 'm1|authenticate', 'ID|response|m1|NO|incorrect secret'],
  ['a ping', 'm1|ping', 'ID|response|m1|NO|not authenticated'],
  ['a route', 'm1|route|invite', 'ID|response|m1|NO|not authenticated'],
  ['nonsense', 'nonsense', 'ID|response|nonsense|NO|not authenticated'],
])('a stranger that begins with %s is refused and dropped', async (_, payload, want) => {
  const client = await stranger();
  client.send(payload);
  client.send(`m2|authenticate|${secret}|`);
  expect(await client.next()).toBe(want);
  await client.closed();
  expect(client.payloads).toEqual([]);
});

test.each([
  ['junk', 'GET / HTTP/1.1\r\n'],
  ['a frame of 3 KiB', `3072#${'x'.repeat(3072)}`],
])('a stranger that sends %s is dropped without a word', async (_, bytes) => {
  const client = await stranger();
  client.write(bytes);
  await client.closed();
  expect(client.payloads).toEqual([]);
});

test('an application that sends junk is dropped, others are not', async () => {
  const [bad, good] = [await application(), await application()];
  bad.write('7#m1|pingx');
  expect(await bad.next()).toBe('ID|response|m1|OK|pong');
  await bad.closed();
  good.send('m2|ping');
  expect(await good.next()).toBe('ID|response|m2|OK|pong');
});

test('frames arrive byte by byte, or many at once', async () => {
  const client = await stranger();
  const auth = `m1|authenticate|${secret}|`;
  const bytes = Buffer.from(`${auth.length}#${auth}7#m2|ping15#m3|route|invite`);
  for (const byte of bytes) {
    client.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await client.next()).toMatch(/^ID\|response\|m1\|OK/);
  expect(await client.next()).toBe('ID|response|m2|OK|pong');
  expect(await client.next()).toBe('ID|response|m3|OK');
  client.write('7#m4|ping7#m5|ping7#m6|ping');
  expect(await client.next()).toBe('ID|response|m4|OK|pong');
  expect(await client.next()).toBe('ID|response|m5|OK|pong');
  expect(await client.next()).toBe('ID|response|m6|OK|pong');
});

test('a message of 100 KiB passes both ways, one of more than 128 KiB ends the connection', async () => {
  const client = await registered('message');
  const body = 'é'.repeat(50 * 1024);
  client.send(`m1|sip||\r\nMESSAGE sip:a@b SIP/2.0\r\nContent-Type: text/plain\r\n\r\n${body}`);
  expect(await client.next()).toMatch(/^ID\|response\|m1\|OK\|application/);
  expect(userAgent.asked[0]?.body.toString()).toBe(body);
  deliver('MESSAGE', 't1', body);
  expect((await client.next()).endsWith(`Content-Length: 102400\r\n\r\n${body}`)).toBe(true);
  client.write(`131073#${'x'.repeat(1000)}`);
  await client.closed();
});

test.each([
  ['m1|dance', 'Unknown message type'],
  ['hello', 'Invalid message format'],
  ['m1|sip|T', 'Invalid message format'],
  ['m1|sip||\r\nSIP/2.0 200 OK\r\n\r\n', 'transaction id missing'],
  ['m1|proxy|T', 'Invalid proxy request: not enough information provided'],
])('%j is answered NO and the connection closed', async (payload, reason) => {
  const client = await application();
  client.send(payload);
  client.send('m2|ping');
  const id = payload === 'hello' ? 'hello' : 'm1';
  expect(await client.next()).toBe(`ID|response|${id}|NO|${reason}`);
  await client.closed();
  expect(client.payloads).toEqual([]);
});

test('a refusal of the SIP side is NOK and the connection stays', async () => {
  const client = await application();
  client.send('m1|sip|unknown|\r\nSIP/2.0 200 OK\r\n\r\n');
  expect(await client.next()).toBe(
    'ID|response|m1|NOK|Response not sent due to unknown transaction',
  );
  client.send('m2|sip|T|\r\nCANCEL sip:a@b SIP/2.0\r\n\r\n');
  expect(await client.next()).toBe('ID|response|m2|NOK|unable to cancel unknown transaction id: T');
  client.send('m3|proxy|T||fullResponse||serial|||sip:a@b\r\nINVITE sip:a SIP/2.0\r\n\r\n');
  expect(await client.next()).toBe('ID|response|m3|NOK|Unknown transaction id: T');
});

test('a request goes to one application of its method, in turn', async () => {
  const [a, b] = [await registered('options', 'invite'), await registered('options')];
  for (const transaction of ['t1', 't2', 't3']) deliver('OPTIONS', transaction);
  expect(await a.next()).toMatch(/^ID\|sip\|network\|300\|udp\|192.0.2.7\|5070\|[\d:.]+\|t1\|\|/);
  expect(await b.next()).toMatch(/\|t2\|\|/);
  expect(await a.next()).toMatch(/\|t3\|\|/);
});

test('remove_route takes only the named method', async () => {
  const client = await registered('options', 'invite');
  client.send('m1|remove_route|options');
  expect(await client.next()).toBe('ID|response|m1|OK');
  deliver('OPTIONS', 't1');
  deliver('INVITE', 't2');
  expect(await client.next()).toMatch(/\|t2\|\|/);
  expect(userAgent.asked).toMatchObject([{ status: 503 }]);
});

test('a closed application gets nothing more', async () => {
  const client = await registered('options');
  client.close();
  await client.closed();
  // The server learns of it in its own time.
  for (let turn = 0; turn < 50 && userAgent.asked.length === 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    deliver('OPTIONS', `t${turn}`);
  }
  expect(userAgent.asked).toMatchObject([{ status: 503 }]);
});

test('an application that does not read is closed', async () => {
  const client = await registered('message');
  client.stopReading();
  const body = 'x'.repeat(60 * 1024);
  for (let count = 0; count < 2_000 && userAgent.asked.length === 0; count++) {
    deliver('MESSAGE', `t${count}`, body);
    if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  // Once it is gone nobody is registered.
  expect(userAgent.asked).toMatchObject([{ status: 503 }]);
});

test('there are 64 connections and no more', async () => {
  for (let count = 0; count < 64; count++) await stranger();
  const late = await stranger();
  await late.closed();
  clients[0]?.send('m1|ping');
  expect(await clients[0]?.next()).toMatch(/not authenticated/);
});

test('a silent stranger is dropped after 10 s', async () => {
  const clock = new FakeClock();
  const patient = new DrachtioServer({
    address: '127.0.0.1',
    port: 0,
    secret,
    clock,
    log: silentLog,
  });
  const silent = await WireClient.connect(await patient.start(userAgent));
  clients.push(silent);
  for (let turn = 0; turn < 100 && clock.pending === 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  clock.advance(10_000);
  await silent.closed();
  expect(clock.pending).toBe(0);
  await patient.close();
});

test('closing drops every connection, twice does no harm', async () => {
  const client = await application();
  await Promise.all([server.close(), server.close()]);
  await client.closed();
  await expect(WireClient.connect(port)).rejects.toThrow('ECONNREFUSED');
});
