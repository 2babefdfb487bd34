import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Incoming, Reply, Signalling } from '../../src/calls/signalling.ts';
import { connectSrf } from '../../src/calls/srf.ts';
import { DrachtioServer } from '../../src/drachtio/server.ts';
import { fastClock } from '../drachtio/fast-clock.ts';
import { ScriptedUserAgent, trace } from '../drachtio/scripted-user-agent.ts';

const secret = 'open sesame';

async function startServer(port = 0) {
  const server = new DrachtioServer({
    address: '127.0.0.1',
    port,
    secret,
    clock: systemClock,
    log: silentLog,
  });
  const userAgent = new ScriptedUserAgent();
  return { server, userAgent, port: await server.start(userAgent) };
}

let site: Awaited<ReturnType<typeof startServer>>;
let signalling: Signalling | undefined;
let inbox: Incoming[];
let losses: number;

beforeEach(async () => {
  [site, inbox, losses, signalling] = [await startServer(), [], 0, undefined];
});

afterEach(async () => {
  await signalling?.close();
  await site.server.close();
});

async function connect(over: { secret?: string; clock?: Clock } = {}): Promise<Signalling> {
  signalling = await connectSrf(
    { host: '127.0.0.1', port: site.port, secret, clock: systemClock, log: silentLog, ...over },
    {
      onRequest: (incoming) => void inbox.push(incoming),
      onLost: () => {
        losses += 1;
      },
    },
  );
  return signalling;
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { timeout: 5000, interval: 10 }).toBe(true);
}

function deliver(method: string, over: { dialog?: string; transaction?: string } = {}): void {
  site.server.user.onRequest({
    transaction: over.transaction ?? 'T-in',
    dialog: over.dialog ?? '',
    message: {
      kind: 'request',
      method,
      uri: 'sip:pizza@127.0.0.1',
      headers: [
        { name: 'f', value: '<sip:ann@192.0.2.7>;tag=t1' },
        { name: 'To', value: '<sip:pizza@127.0.0.1>' },
        { name: 'Call-ID', value: 'c1' },
        { name: 'CSeq', value: `1 ${method}` },
        { name: 'x', value: '600;refresher=uas' },
        { name: 'Content-Length', value: '5' },
      ],
      body: Buffer.from('hällo'),
    },
    trace,
    ...(over.dialog === undefined
      ? { local: { protocol: 'udp', address: '127.0.0.1', port: 5060 } }
      : {}),
  });
}

test('the addresses of the server are known once it is connected', async () => {
  const { addresses } = await connect();
  expect(addresses).toEqual(['udp/192.0.2.1:5060', 'tcp/127.0.0.1:5060']);
});

test('a wrong secret rejects', async () => {
  await expect(connect({ secret: 'wrong' })).rejects.toThrow('authenticate');
});

test('a request arrives with its headers under any of their names', async () => {
  await connect();
  deliver('INVITE');
  await until(() => inbox.length === 1);
  const { request } = inbox[0]!;
  expect(request).toMatchObject({
    method: 'INVITE',
    uri: 'sip:pizza@127.0.0.1',
    dialog: '',
    source: 'network',
    sourceAddress: '192.0.2.7',
  });
  expect(request.header('From')).toBe('<sip:ann@192.0.2.7>;tag=t1');
  expect(request.header('Session-Expires')).toBe('600;refresher=uas');
  expect(request.header('subject')).toBeUndefined();
});

test('an answer goes out with headers and body', async () => {
  await connect();
  deliver('OPTIONS');
  await until(() => inbox.length === 1);
  await inbox[0]!.respond({ status: 200, headers: { Allow: 'INVITE' }, body: 'v=0' });
  expect(site.userAgent.asked).toMatchObject([{ status: 200, body: Buffer.from('v=0') }]);
});

test('a status that drachtio-srf does not know goes out as well', async () => {
  await connect();
  deliver('OPTIONS');
  await until(() => inbox.length === 1);
  await inbox[0]!.respond({ status: 469, reason: 'Bad Info Package' });
  expect(site.userAgent.asked).toMatchObject([{ status: 469, reason: 'Bad Info Package' }]);
});

test('an answer on its way goes out before the connection is closed', async () => {
  const one = await connect();
  deliver('OPTIONS');
  await until(() => inbox.length === 1);
  const answered = inbox[0]!.respond({ status: 200 });
  await one.close();
  await answered;
  expect(site.userAgent.asked).toMatchObject([{ status: 200 }]);
});

test('an answer that the server does not take rejects', async () => {
  await connect();
  deliver('INVITE', { transaction: 'unknown' });
  await until(() => inbox.length === 1);
  await expect(inbox[0]!.respond({ status: 200 })).rejects.toMatchObject({ code: 'CALL_GONE' });
});

test('a CANCEL is told to its INVITE', async () => {
  await connect();
  deliver('INVITE');
  await until(() => inbox.length === 1);
  let isCancelled = false;
  inbox[0]!.onCancelled(() => {
    isCancelled = true;
  });
  deliver('CANCEL');
  await until(() => isCancelled);
  expect(inbox).toHaveLength(1);
});

test('a request goes out, and its replies come back', async () => {
  const one = await connect();
  const replies: Reply[] = [];
  await one.send(
    { method: 'OPTIONS', uri: 'sip:a@127.0.0.1' },
    (reply) => void replies.push(reply),
  );
  site.server.user.onResponse({
    transaction: 'T1',
    dialog: '',
    message: {
      kind: 'response',
      status: 404,
      reason: 'Not Found',
      headers: [{ name: 'Call-ID', value: 'x' }],
      body: Buffer.alloc(0),
    },
    trace,
  });
  await until(() => replies.length === 1);
  expect(replies[0]).toMatchObject({ status: 404, reason: 'Not Found', body: '' });
});

test('when the server goes, what waits is rejected, and it is found again', async () => {
  const one = await connect();
  await site.server.close();
  await until(() => losses === 1);
  await expect(
    one.send({ method: 'OPTIONS', uri: 'sip:a@b' }, () => undefined),
  ).rejects.toMatchObject({
    code: 'CALL_GONE',
  });
  const { port } = site;
  site = await startServer(port);
  await until(() => (signalling?.addresses.length ?? 0) > 0);
  await expect
    .poll(
      () =>
        one
          .send({ method: 'OPTIONS', uri: 'sip:a@b' }, () => undefined)
          .then(
            () => true,
            () => false,
          ),
      {
        timeout: 5000,
      },
    )
    .toBe(true);
  deliver('OPTIONS');
  await until(() => inbox.length === 1);
});

test('without a server the first connection rejects, and nothing keeps trying', async () => {
  await site.server.close();
  await expect(connect({ clock: fastClock(50) })).rejects.toThrow('no connection');
});
