import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { sipp } from '../support/sipp.ts';
import { expectIdle, type Site, type SiteOptions, startSite } from './site.ts';

const shared = (name: string) => resolve(import.meta.dirname, '../peers/scenarios', `${name}.xml`);
const withHeader = join(import.meta.dirname, 'scenarios', 'header.xml');

let site: Site | undefined;
let hook: Server | undefined;

afterEach(async () => {
  await site?.close();
  hook?.closeAllConnections();
  hook?.close();
  site = hook = undefined;
});

const agents = [
  { name: 'sales', match: ['1[0-9]{2}$'], greeting: 'Sales, good morning.' },
  { name: 'pizza', match: ['\\+49'], greeting: 'Bella Pizza.' },
  { name: 'support', greeting: 'This is support.' },
];

async function start(options: SiteOptions = {}): Promise<Site> {
  site = await startSite({ agents, ...options });
  return site;
}

/** Calls and says what the session of this call was told. */
async function call(user: string, header?: string): Promise<string> {
  const { udp, simulator } = site!;
  const flags =
    header === undefined
      ? ['-s', user, '-key', 'rtp_port', '31530']
      : ['-s', user, '-key', 'rtp_port', '31530', '-key', 'header', header];
  const scenario = header === undefined ? shared('short-call') : withHeader;
  const { errors } = await sipp({ scenario, target: udp, flags: flags.join(' ') });
  expect(errors).toBe('');
  await expectIdle(site!);
  return JSON.stringify(simulator.session.received);
}

/** A webhook; what it was asked is kept. */
async function startHook(answer: (bot: string) => object | string | undefined) {
  const asked: { readonly body: unknown; readonly authorization: unknown }[] = [];
  hook = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const body = JSON.parse(text) as { bot: string };
      asked.push({ body, authorization: request.headers.authorization });
      const given = answer(body.bot);
      // Undefined: it never answers.
      if (given !== undefined)
        response.end(typeof given === 'string' ? given : JSON.stringify(given));
    });
  }).listen(0, '127.0.0.1');
  await once(hook, 'listening');
  const { port } = hook.address() as AddressInfo;
  const webhook = {
    url: `http://127.0.0.1:${port}/`,
    tokenEnv: 'HOOK_TOKEN',
    timeoutSeconds: 1,
    allowPrivateAddresses: true,
  };
  return { asked, webhook };
}

const messages = () => site!.log.map(({ message }) => message);

test('the dialled user reaches the agent that it is for', async () => {
  await start();
  expect(await call('123')).toContain('Sales, good morning.');
  expect(await call('+4930555')).toContain('Bella Pizza.');
  expect(await call('Support')).toContain('This is support.');
  const first = await call('somebody');
  expect(await call('somebody')).toContain(/Sales|Bella|support\./.exec(first)?.[0] ?? '-');
});

test('with all agents disabled a call is refused with 480', async () => {
  const { udp, ending } = await start({ agents: [{ name: 'sales', disabled: true }] });
  const flags = '-s sales -key rtp_port 31530';
  const { errors } = await sipp({ scenario: shared('short-call'), target: udp, flags });
  expect(errors).toContain('SIP/2.0 480');
  expect(ending()).toEqual({ result: 'rejected', reason: 'no-agent' });
});

test('a webhook changes what the agent of a call is', async () => {
  const { asked, webhook } = await startHook((bot) => ({
    flavor: 'openai',
    openai: { welcome_message: `Hello to ${bot}.`, voice: 'cedar' },
  }));
  await start({ override: { webhook } });
  const told = await call('Support');
  expect(told).toContain('Hello to support.');
  expect(told).toContain('"voice":"cedar"');
  expect(asked).toEqual([{ body: { bot: 'support' }, authorization: 'Bearer hook' }]);
});

test.each([
  { what: 'is slow', answer: () => undefined },
  { what: 'gives nonsense', answer: () => 'what?' },
  { what: 'asks for what is not allowed', answer: () => ({ key: 'sk-other' }) },
])('where the webhook $what the configured agent answers', async ({ answer }) => {
  const { webhook } = await startHook(answer);
  await start({ override: { webhook } });
  const begun = Date.now();
  expect(await call('123')).toContain('Sales, good morning.');
  expect(Date.now() - begun).toBeLessThan(5000);
  expect(messages()).toContain('an override does not count');
  expect(JSON.stringify(site!.log)).not.toContain('sk-other');
});

test('a caller who gives up while the webhook is asked leaves nothing', async () => {
  const { webhook } = await startHook(() => undefined);
  const { udp, simulator, ending } = await start({
    override: { webhook: { ...webhook, timeoutSeconds: 10 } },
  });
  const scenario = join(import.meta.dirname, 'scenarios', 'cancel-early.xml');
  const flags = '-s 123 -key rtp_port 31530';
  expect((await sipp({ scenario, target: udp, flags })).errors).toBe('');
  await expectIdle(site!);
  expect(ending()).toEqual({ result: 'cancelled', reason: 'caller-cancelled' });
  expect(simulator.sessions).toEqual([]);
});

test('a header changes the agent, over what the webhook says', async () => {
  const { webhook } = await startHook(() => ({ agent: 'pizza', openai: { voice: 'cedar' } }));
  const header = { sourceRanges: ['127.0.0.0/8'] };
  await start({ override: { webhook, header } });
  const text = '{"greeting":"Grüß Gott.","instructions":"Be brief, and kind."}';
  const told = await call('123', Buffer.from(text).toString('base64'));
  expect(told).toContain('Grüß Gott.');
  expect(told).toContain('Be brief, and kind.');
  expect(told).toContain('"voice":"cedar"');
  expect(await call('123', '{"greeting":"Plain.","openai":{"voice":"ash"}}')).toContain('Plain.');
});

test('a header from elsewhere does not count', async () => {
  await start({ override: { header: { sourceRanges: ['198.51.100.0/24'] } } });
  expect(await call('123', '{"greeting":"Stolen."}')).toContain('Sales, good morning.');
  expect(site!.log.find(({ message }) => message === 'an override does not count')).toMatchObject({
    source: 'header',
    outcome: 'refused',
  });
  const metrics = await (await fetch(`${site!.app.httpUrl}/metrics`)).text();
  expect(metrics).toContain('parley_agent_overrides_total{source="header",outcome="refused"} 1');
});
