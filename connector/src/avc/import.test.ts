import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { importAvc } from './import.ts';

const openai = (lines: string) => `[openai]\nkey = sk-secret-1\n${lines}`;

function agentOf(ini: string, env: Record<string, string> = {}): Record<string, unknown> {
  const { agents } = parse(importAvc(ini, env).yaml) as { agents: Record<string, unknown>[] };
  return agents[0] ?? {};
}

test('every key of the openai flavour has its place', () => {
  const agent = agentOf(
    openai(
      `model = gpt-realtime
      url = wss://eu.example/v1/realtime?model={}
      voice = ash
      instructions = Be brief.
      welcome_message = Hello.
      max_tokens = 500
      turn_detection_type = server_vad
      turn_detection_silence_ms = 300
      turn_detection_threshold = 0.6
      turn_detection_prefix_ms = 250
      transfer_to = <sip:desk@192.0.2.7>
      transfer_by = sip:bot@192.0.2.8`.replaceAll(/^ +/gm, ''),
    ),
  );
  expect(agent).toEqual({
    name: 'openai',
    greeting: 'Hello.',
    instructions: 'Be brief.',
    providers: [
      {
        openai: {
          model: 'gpt-realtime',
          url: 'wss://eu.example/v1',
          voice: 'ash',
          maxOutputTokens: 500,
          turnDetection: {
            type: 'server_vad',
            threshold: 0.6,
            prefixPaddingMs: 250,
            silenceDurationMs: 300,
          },
          apiKeyEnv: 'OPENAI_API_KEY',
        },
      },
    ],
    tools: [
      { name: 'terminate_call', hangUp: {} },
      {
        name: 'transfer_call',
        transfer: {
          destinations: [{ name: 'default', to: 'sip:desk@192.0.2.7' }],
          referredBy: 'sip:bot@192.0.2.8',
        },
      },
    ],
  });
});

test.each([
  { ini: '[openai]\nopenai_key = sk-1\nopenai_voice = ash\ndisable = yes' },
  { ini: '[openai]\nkey = sk-1\nvoice = ash\ndisabled = on' },
])('both spellings mean the same', ({ ini }) => {
  expect(importAvc(ini, {}).secrets).toEqual({ OPENAI_API_KEY: 'sk-1' });
  expect(agentOf(ini)).toMatchObject({
    disabled: true,
    providers: [{ openai: { voice: 'ash' } }],
  });
});

test('keys are in no text that anybody reads', () => {
  const { yaml, left, notes } = importAvc(`${openai('')}[azure]\nkey = az-secret-2`, {});
  expect(`${yaml}${[...left, ...notes].join('')}`).not.toMatch(/sk-secret-1|az-secret-2/);
});

test('[DEFAULT] is inherited, the environment is beneath the file', () => {
  const ini = `[DEFAULT]\nvoice = ash\n${openai('model = m1')}`;
  const env = { OPENAI_API_MODEL: 'm2', OPENAI_WELCOME_MSG: 'Hi.', OPENAI_VOICE: 'sage' };
  expect(agentOf(ini, env)).toMatchObject({
    greeting: 'Hi.',
    providers: [{ openai: { voice: 'ash', model: 'm1' } }],
  });
});

test('the environment alone is enough', () => {
  expect(agentOf('', { OPENAI_API_KEY: 'sk-1', OPENAI_DISABLE: 'true' })).toMatchObject({
    name: 'openai',
    disabled: true,
  });
  expect(() => importAvc('', {})).toThrow('there is no agent');
});

test('what cannot be taken over is named, and its agents are disabled', () => {
  const ini = `${openai('temperature = 0.8\ntools = a.py\ntransfer_to = sip:\nspeed = 2\n')}
[deepgram]
key = x
instructions = Be kind.
[deepgram_native]
[sales]
`;
  const { left, yaml } = importAvc(ini, {});
  expect(left.map((line) => line.split(':')[0])).toEqual([
    '[openai] transfer_to',
    '[openai] speed',
    '[openai] tools',
    '[openai] temperature',
    '[deepgram]',
    '[deepgram_native]',
    '[sales]',
  ]);
  const { agents } = parse(yaml) as { agents: object[] };
  expect(agents).toMatchObject([
    { name: 'openai' },
    { name: 'deepgram', disabled: true, instructions: 'Be kind.' },
    { name: 'deepgram-native', disabled: true, instructions: 'Be kind.' },
  ]);
});

test.each([
  { rtp: '', want: { ports: '35000-64999' } },
  { rtp: 'min_port = 20001\nmax_port = 20100', want: { ports: '20002-20099' } },
  { rtp: 'min_port = 20000\nmax_port = 20101', want: { ports: '20000-20099' } },
  { rtp: 'min_port = 5\nip = example', want: {} },
  { rtp: 'ip = 192.0.2.1', want: { ports: '35000-64999', advertisedAddress: '192.0.2.1' } },
])('RTP takes whole pairs of "$rtp"', ({ rtp, want }) => {
  expect(parse(importAvc(`[rtp]\n${rtp}\n${openai('')}`, {}).yaml)).toMatchObject({ rtp: want });
});

const api = (url: string) => importAvc(`[engine]\napi_url = ${url}\n${openai('')}`, {});

test('the API becomes a webhook, unless there is a password in it', () => {
  expect(parse(api('http://192.0.2.1/bot').yaml)).toMatchObject({
    override: { webhook: { url: 'http://192.0.2.1/bot' } },
  });
  expect(api('http://u:p@192.0.2.1/bot').yaml).not.toMatch(/webhook:|u:p@/);
});

test('an agent takes no more calls than there are ports', () => {
  expect(agentOf(`[rtp]\nmin_port = 20000\nmax_port = 20020\n${openai('')}`)).toMatchObject({
    maxCalls: 10,
  });
  expect(agentOf(openai(''))).not.toHaveProperty('maxCalls');
});
