import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type ConnectorProcess, startConnector } from '../support/connector-process.ts';
import { OpenAiSimulator } from '../support/openai-simulator.ts';
import { sipp } from '../support/sipp.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const scenario = (name: string) =>
  resolve(import.meta.dirname, '../peers/scenarios', `${name}.xml`);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-main-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function connector(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [main, ...args],
      { env: { PATH: process.env['PATH'] ?? '', ...env } },
      (error, out, err) => done({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

const good =
  'agent: {name: pizza, providers: [{local: {intents: [{name: hi, phrases: [hello]}]}}]}';

test('check says ok and what the file means', async () => {
  const { code, out, err } = await connector(['check', file('good.yaml', good)]);
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^ok\n/);
  expect(out).toContain('name: pizza');
  expect(out).toContain('maxCalls: 100');
});

test('check says everything that is wrong, where and why', async () => {
  const path = file('bad.yaml', 'agent: {nam: x, providers: []}\nsip: {listen: [ftp://x]}\n');
  const { code, out, err } = await connector(['check', path]);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain('agent.nam: unknown key; did you mean name?');
  expect(err).toContain('agent.providers');
  expect(err).toContain('sip.listen.0');
});

test.each([
  {
    what: 'a phrase',
    text: good.replace('[hello]', '["[hello", xyzzyq]'),
    says: 'intent "hi", phrase "[hello": "[" is not closed',
  },
  {
    what: 'a certificate',
    text: `sip: {listen: ["tls://127.0.0.1:0"], tls: {certFile: /dev/null, keyFile: /dev/null}}\n${good}`,
    says: 'sip.tls.certFile: ',
  },
  {
    what: 'a file',
    text: `sip: {listen: ["tls://127.0.0.1:0"], tls: {certFile: /no, keyFile: /no}}\n${good}`,
    says: 'sip.tls.certFile: ENOENT',
  },
])('check and run say the same of $what that cannot be used', async ({ what, text, says }) => {
  const path = file(`${what}.yaml`, `http: {listen: "127.0.0.1:0"}\n${text}`);
  for (const command of ['check', 'run']) {
    const { code, err } = await connector([command, path]);
    expect(code).toBe(1);
    expect(err).toContain(says);
  }
});

test('an RTP address of another machine is told at the start, and nothing else is', async () => {
  const text = `http: {listen: "127.0.0.1:0"}\nrtp: {address: 192.0.2.77}\n${good}`;
  const { code, out, err } = await connector(['run', file('address.yaml', text)]);
  expect(code).toBe(1);
  expect(err).toMatch(/^RTP cannot be bound to 192\.0\.2\.77: /);
  expect(out).not.toContain('could not be synthesised');
});

test('a port that is taken is told at the start, and nothing else is', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const port = (other.address() as AddressInfo).port;
  const text = `http: {listen: "127.0.0.1:${port}"}\n${good}`;
  const { out, err } = await connector(['run', file('port.yaml', text)]);
  other.close();
  expect(err).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`);
  expect(out).not.toContain('could not be synthesised');
});

test('the environment can name the file', async () => {
  const { code } = await connector(['check'], { CONFIG_FILE: file('env.yaml', good) });
  expect(code).toBe(0);
});

test('help goes to the output, a bad command line to the errors', async () => {
  expect(await connector(['--help'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('run FILE') as string,
  });
  const misplaced = [
    ['run', 'a', '--dial', '1'],
    ['check', 'a', '-o', 'b'],
  ];
  const wrong = [[], ['fly'], ['check'], ['import'], ['check', 'a', 'b'], ['--nope']];
  for (const args of [...wrong, ...misplaced]) {
    expect(await connector(args)).toMatchObject({
      code: 2,
      err: expect.stringContaining('Usage') as string,
    });
  }
});

test.each([
  { user: '123', want: 'sales (by match)\n' },
  { user: 'Pizza', want: 'pizza (by name)\n' },
])('check says who answers when $user is dialled', async ({ user, want }) => {
  const one = 'providers: [{local: {intents: [{name: hi, phrases: [hello]}]}}]';
  const text = `agents: [{name: sales, match: ["1"], ${one}}, {name: pizza, ${one}}]`;
  const { code, out } = await connector(['check', file('agents.yaml', text), '--dial', user]);
  expect([code, out]).toEqual([0, want]);
});

test('a temperature without the beta dialect is warned of', async () => {
  const text = 'agent: {providers: [{openai: {temperature: 0.8}}]}';
  const path = file('temperature.yaml', text);
  const { code, err } = await connector(['check', path], { OPENAI_API_KEY: 'k' });
  expect([code, err]).toEqual([
    0,
    'warning: agent.providers.0.openai.temperature: only the beta dialect has it; it is not sent\n',
  ]);
});

test('an import makes a file that check takes, without keys, and says what is left', async () => {
  const ini = resolve(import.meta.dirname, '../fixtures/avc/full.ini');
  const out = join(folder, 'imported.yaml');
  const imported = await connector(['import', ini, '-o', out]);
  expect(imported.code).toBe(3);
  expect(imported.err).toContain('not taken over: [openai] tools');
  expect(`${imported.err}${readFileSync(out, 'utf8')}`).not.toMatch(/not-a-real-key|not-real/);
  // What is there is not written over.
  expect(await connector(['import', ini, '-o', out])).toMatchObject({ code: 1 });
  const checked = await connector(['check', out, '--dial', '15'], { OPENAI_API_KEY: 'k' });
  expect(checked).toMatchObject({ code: 0, out: 'openai (by match)\n', err: '' });
  // The INI itself does as well, with the key in it.
  expect(await connector(['check', ini, '--dial', 'x'])).toMatchObject({ code: 0 });
  const small = file('small.ini', '[openai]\nkey = k\nvoice = ash\n');
  expect(await connector(['import', small])).toMatchObject({ code: 0 });
  const broken = file('broken.ini', '[openai]\nsecret\n');
  expect(await connector(['import', broken])).toMatchObject({
    code: 1,
    err: 'line 2: neither [section] nor key = value\n',
  });
});

test('the environment alone starts it, in the names of the OpenSIPS connector', async () => {
  const simulator = await OpenAiSimulator.start({ apiKey: 'right' });
  onTestFinished(() => simulator.close());
  const running = await startConnector(
    { http: { listen: '127.0.0.1:31993' } },
    {
      OPENAI_API_KEY: 'right',
      OPENAI_URL: `${simulator.url}/realtime?model={}`,
      OPENAI_VOICE: 'ash',
      OPENAI_WELCOME_MSG: 'Hello from the environment.',
      OPENAI_TURN_DETECT_SILENCE_MS: '350',
      RTP_MIN_PORT: '32100',
      RTP_MAX_PORT: '32120',
      RTP_BIND_IP: '127.0.0.1',
      PARLEY_SIP_LISTEN: 'udp://127.0.0.1:31992',
      PARLEY_HTTP_LISTEN: '127.0.0.1:31993',
    },
  );
  const { errors } = await sipp({
    scenario: scenario('short-call'),
    target: '127.0.0.1:31992',
    flags: '-s anybody -key rtp_port 31514',
  });
  expect(errors).toBe('');
  const told = JSON.stringify(simulator.session.received);
  expect(told).toContain('Hello from the environment.');
  expect(told).toContain('"voice":"ash"');
  expect(told).toContain('"silence_duration_ms":350');
  expect(await running.stop()).toBe(0);
});

test('a file that is not there is one line', async () => {
  const { code, err } = await connector(['run', join(folder, 'none.yaml')]);
  expect(code).toBe(1);
  expect(err.trim().split('\n')).toHaveLength(1);
});

test('SIGTERM waits for the call that is up, then the process exits 0', async () => {
  const running: ConnectorProcess = await startConnector({
    sip: { listen: ['udp://127.0.0.1:31990'] },
    rtp: { ports: '31900-31939' },
    http: { listen: '127.0.0.1:31991' },
    agent: {
      maxCalls: 10,
      greeting: 'Good morning.',
      providers: [{ local: { intents: [{ name: 'hi', phrases: ['hello'] }] } }],
    },
  } as { http: { listen: string } });
  const call = sipp({
    scenario: scenario('call'),
    target: '127.0.0.1:31990',
    flags: '-s pizza -key rtp_port 31512',
  });
  await expect.poll(() => running.activeCalls(), { timeout: 5000 }).toBe(1);
  const stopped = running.stop();
  expect((await call).errors).toBe('');
  expect(await stopped).toBe(0);
  const messages = running.log.map((line) => line['msg']);
  expect(messages).toEqual(expect.arrayContaining(['ready', 'draining', 'call ended', 'stopped']));
});
