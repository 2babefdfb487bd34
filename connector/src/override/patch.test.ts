import { expect, test } from 'vitest';
import { agentSchema } from '../contract/agent.ts';
import {
  forbiddenIn,
  headerText,
  isEmpty,
  mergePatches,
  type Patch,
  patchAgent,
  readPatch,
} from './patch.ts';

const agent = agentSchema.parse({
  name: 'sales',
  greeting: 'Hello.',
  providers: [
    { openai: { voice: 'marin', turnDetection: { type: 'server_vad', threshold: 0.6 } } },
  ],
});

function patchOf(value: object): Patch {
  const read = readPatch(JSON.stringify(value), ['sales', 'pizza']);
  if ('reason' in read) throw new Error(read.reason);
  return read.patch;
}

test('our own shape changes texts and the provider', () => {
  const patch = patchOf({ greeting: 'Hi.', openai: { voice: 'cedar' } });
  expect(patchAgent(agent, patch)).toMatchObject({
    agent: { name: 'sales', greeting: 'Hi.', providers: [{ openai: { voice: 'cedar' } }] },
  });
});

test('the shape of the OpenSIPS connector means the same', () => {
  const openai = { welcome_message: 'Hi.', openai_voice: 'cedar', turn_detection_silence_ms: 300 };
  const patched = patchAgent(agent, patchOf({ flavor: 'openai', openai }));
  expect(patched).toMatchObject({
    agent: {
      greeting: 'Hi.',
      providers: [
        {
          openai: {
            voice: 'cedar',
            turnDetection: { type: 'server_vad', threshold: 0.6, silenceDurationMs: 300 },
          },
        },
      ],
    },
  });
});

test('a flavour can be another agent of the file', () => {
  expect(patchOf({ flavor: 'pizza', pizza: { instructions: 'Bake.' } })).toMatchObject({
    agent: 'pizza',
    instructions: 'Bake.',
  });
});

test.each([
  { text: '{', reason: 'no JSON' },
  { text: '[]', reason: 'Invalid input: expected object, received array' },
  { text: '{"flavor": "deepgram"}', reason: 'the flavor is no agent of this file' },
  { text: '{"tools": []}', reason: 'Unrecognized key: "tools"' },
  {
    text: '{"openai": {"apiKeyFile": "/etc/shadow"}}',
    reason: 'openai: Unrecognized key: "apiKeyFile"',
  },
  { text: '{"recording": {"folder": "/"}}', reason: 'Unrecognized key: "recording"' },
  {
    text: '{"maxDurationSeconds": "x"}',
    reason: 'maxDurationSeconds: Invalid input: expected number, received string',
  },
])('$text is refused', ({ text, reason }) => {
  const read = readPatch(text, ['sales']);
  expect(read).toEqual({ reason });
});

test('what nobody allowed is named', () => {
  const patch = patchOf({ transfer: { to: 'sip:a@b' }, key: 'sk-1' });
  expect(forbiddenIn(patch, [])).toBe('transfer');
  expect(forbiddenIn(patch, ['transfer'])).toBe('key');
  expect(forbiddenIn(patch, ['transfer', 'key'])).toBeUndefined();
});

test('another server never gets the configured key', () => {
  const patch = patchOf({ openai: { url: 'wss://elsewhere.example/v1' } });
  expect(patchAgent(agent, patch)).toEqual({ reason: 'openai.url: needs a key of its own' });
  expect(patchAgent(agent, { ...patch, key: 'sk-1' })).toHaveProperty('agent');
});

test('a transfer leads where the patch says, with a tool if there was none', () => {
  const patched = patchAgent(agent, patchOf({ transfer: { to: 'sip:desk@192.0.2.7' } }));
  expect(patched).toMatchObject({
    agent: {
      tools: [
        { name: 'transfer_call', transfer: { destinations: [{ to: 'sip:desk@192.0.2.7' }] } },
      ],
    },
  });
  expect(patchAgent(agent, patchOf({ transfer: { to: 'sip:' } }))).toHaveProperty('reason');
});

test('of two patches the later counts, key by key', () => {
  const merged = mergePatches(
    patchOf({ greeting: 'a', openai: { voice: 'alloy', speed: 1.2 } }),
    patchOf({ openai: { voice: 'cedar' } }),
  );
  expect(merged).toEqual({ greeting: 'a', openai: { voice: 'cedar', speed: 1.2 } });
  expect([isEmpty(merged), isEmpty(mergePatches({}, {}))]).toEqual([false, true]);
});

test('a header holds JSON or base64 of it', () => {
  const text = '{"greeting": "Grüß Gott"}';
  expect(headerText(` ${text} `)).toBe(text);
  expect(headerText(Buffer.from(text).toString('base64'))).toBe(text);
});
