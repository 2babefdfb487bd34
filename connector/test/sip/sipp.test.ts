import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { RunningUserAgent } from '../../src/sip/create-user-agent.ts';
import { sipp } from '../support/sipp.ts';
import { type Desk, freePort, openDesk } from './desk.ts';
import { draft, reply, sdp } from './phone.ts';

const scenario = (name: string) => join(import.meta.dirname, 'scenarios', `${name}.xml`);
let desk: Desk | undefined;

afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

async function expectIdle({ agent }: Desk): Promise<void> {
  const idle = { transactions: 0, dialogs: 0, unanswered: 0 };
  // INVITE transactions last 64 * T1 here 3.2 s; timer D 32 s only where sipp was refused.
  await vi.waitFor(() => expect(agent.load()).toEqual(idle), { timeout: 6_000, interval: 100 });
}

test.each([
  ['udp', 'u1'],
  ['tcp', 't1'],
] as const)('sipp calls over %s, 20 times, and nothing is left', async (protocol, mode) => {
  desk = await openDesk(protocol, {
    request: ({ transaction, message }, agent) => {
      if (message.method === 'INVITE') {
        void agent.respond(transaction, reply(180));
        void agent.respond(transaction, reply(200, { body: sdp }));
      }
      if (message.method === 'BYE') void agent.respond(transaction, reply(200));
    },
  });
  const flags = `-t ${mode} -m 20 -r 20 -p ${await freePort()}`;
  const result = await sipp({ scenario: scenario('caller'), target: desk.address, flags });
  expect(result).toEqual({ passed: true, errors: '' });
  await expectIdle(desk);
});

test.each([
  ['udp', 'u1'],
  ['tcp', 't1'],
] as const)('sipp is called over %s', async (protocol, mode) => {
  const port = await freePort();
  const statuses: number[] = [];
  const call = (agent: RunningUserAgent) =>
    agent.request(draft('INVITE', `sip:you@127.0.0.1:${port}`, { body: sdp }));
  desk = await openDesk(protocol, {
    response: ({ dialog, message: { status } }, agent) => {
      // sipp needs a moment to listen; over TCP that is a refused connection.
      if (status === 503) void call(agent);
      else statuses.push(status);
      if (status !== 200 || statuses.length > 2) return;
      void agent
        .requestInDialog(dialog, draft('ACK', 'sip:placeholder'))
        .then(() => agent.requestInDialog(dialog, draft('BYE', 'sip:placeholder')));
    },
  });
  const called = sipp({ scenario: scenario('callee'), flags: `-t ${mode} -p ${port}` });
  await call(desk.agent);
  expect(await called).toEqual({ passed: true, errors: '' });
  await vi.waitFor(() => expect(statuses).toEqual([180, 200, 200]));
  await expectIdle(desk);
});
