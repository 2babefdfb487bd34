import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { Caller } from '../faults/caller.ts';
import { askSip, Pod, request } from '../pod/pod.ts';

/** Sources on real sockets that cost more than they bring. */

let pod: Pod;
const callers: Caller[] = [];
const auth = { realm: 'parley', users: [{ name: 'ann', passwordFile: import.meta.filename }] };

afterEach(async () => {
  for (const caller of callers.splice(0)) caller.close();
  await pod.close();
});

async function start(sip: object = {}): Promise<string> {
  pod = await Pod.start({ settings: { sip } });
  return pod.at('udp');
}

const blocks = () =>
  pod.messages().filter((text) => text === 'a source of SIP messages is blocked');

async function dropped(reason: string): Promise<number> {
  const text = await (await pod.ask('/metrics')).text();
  return Number(
    new RegExp(`^parley_sip_dropped_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(text)?.[1] ??
      0,
  );
}

/** Sends what is given from one socket; the answers that come within `wait` ms. */
async function sendAll(
  texts: readonly string[],
  to: { target: string; from: string; wait: number },
): Promise<string[]> {
  const [host = '', port = ''] = to.target.split(':');
  const socket = createSocket('udp4').bind(0, to.from);
  await once(socket, 'listening');
  const answers: string[] = [];
  socket.on('message', (bytes) => void answers.push(bytes.toString()));
  const own = `${to.from}:${socket.address().port}`;
  for (const [index, text] of texts.entries()) {
    socket.send(text.replaceAll('OWN', own), Number(port), host);
    // The receiver keeps up: what is lost here would be the kernel's doing.
    if (index % 20 === 19) await new Promise((done) => setTimeout(done, 2));
  }
  await new Promise((done) => setTimeout(done, to.wait));
  socket.close();
  return answers;
}

const options = (target: string) => request('OPTIONS', { target, own: 'OWN' });

test('a scanner gets no answer, and nobody at its address for a time', async () => {
  const target = await start();
  const scan = options(target).replace(
    'Max-Forwards',
    'User-Agent: friendly-scanner\r\nMax-Forwards',
  );
  expect(await sendAll([scan], { target, from: '127.0.0.2', wait: 300 })).toEqual([]);
  expect(await askSip(target, 'OPTIONS', { from: '127.0.0.2', wait: 300 })).toBe('');
  expect(await askSip(target, 'INVITE', { from: '127.0.0.2', wait: 300 })).toBe('');
  expect(await askSip(target, 'OPTIONS', { from: '127.0.0.3' })).toContain('SIP/2.0 200');
  expect(blocks()).toHaveLength(1);
  expect([await dropped('scanner'), await dropped('blocked')]).toEqual([1, 2]);
});

test('wrong passwords are answered ten times, then the source is blocked', async () => {
  const target = await start({ auth });
  const challenge = await askSip(target, 'INVITE', { from: '127.0.0.2' });
  const [, nonce = ''] = /nonce="([^"]+)"/.exec(challenge) ?? [];
  expect(nonce).not.toBe('');
  const guess = (count: number) => {
    const fields = [
      'username="ann"',
      'realm="parley"',
      `nonce="${nonce}"`,
      `uri="sip:pizza@${target}"`,
      `response="${'0'.repeat(32)}"`,
      'algorithm=MD5',
      'qop=auth',
      `nc=${String(count).padStart(8, '0')}`,
      'cnonce="abc"',
    ];
    const text = request('INVITE', { target, own: 'OWN' });
    return text.replace(
      'Max-Forwards',
      `Authorization: Digest ${fields.join(', ')}\r\nMax-Forwards`,
    );
  };
  const guesses = Array.from({ length: 12 }, (_, index) => guess(index + 1));
  await sendAll(guesses, { target, from: '127.0.0.2', wait: 500 });
  expect(blocks()).toHaveLength(1);
  expect(await askSip(target, 'INVITE', { from: '127.0.0.2', wait: 300 })).toBe('');
  expect(await askSip(target, 'INVITE', { from: '127.0.0.3' })).toContain('SIP/2.0 401');
});

test('a flood is answered up to the rate, a trusted source without a limit', async () => {
  const target = await start({ trustedRanges: ['127.0.0.3'] });
  const flood = Array.from({ length: 1500 }, () => options(target));
  const begun = performance.now();
  const answered = await sendAll(flood, { target, from: '127.0.0.2', wait: 500 });
  const seconds = (performance.now() - begun) / 1000;
  expect(answered.length).toBeGreaterThanOrEqual(1000);
  expect(answered.length).toBeLessThanOrEqual(1000 + 200 * seconds);
  expect(await dropped('rate')).toBe(1500 - answered.length);
  const again = flood.map(() => options(target));
  expect(await sendAll(again, { target, from: '127.0.0.3', wait: 1000 })).toHaveLength(1500);
  // A flood does not block: it may be a NAT with many behind it.
  expect(blocks()).toEqual([]);
});

test('a call that is up can end from a source that was blocked meanwhile', async () => {
  const target = await start();
  const caller = await Caller.call({ target, address: '127.0.0.2' });
  callers.push(caller);
  expect(caller.status).toBe(200);
  const scan = options(target).replace('Max-Forwards', 'User-Agent: sipvicious\r\nMax-Forwards');
  expect(await sendAll([scan], { target, from: '127.0.0.2', wait: 200 })).toEqual([]);
  expect(await askSip(target, 'OPTIONS', { from: '127.0.0.2', wait: 300 })).toBe('');
  expect(pod.app.activeCalls()).toBe(1);
  expect(await caller.hangUp()).toBe(200);
  await expect.poll(() => pod.app.activeCalls()).toBe(0);
});
