import { connect } from 'node:net';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime';
import { expect, onTestFinished, test } from 'vitest';
import {
  OpenAiSimulator,
  type SimulatorOptions,
  silence,
  tone,
} from '../support/openai-simulator.ts';

/** The simulator under the SDK's own client, used as its makers mean it: so that it cannot drift. */
async function client(options: SimulatorOptions = {}) {
  const simulator = await OpenAiSimulator.start(options);
  onTestFinished(() => simulator.close());
  const { port } = new URL(simulator.url);
  const createConnection = () => connect({ host: '127.0.0.1', port: Number(port) });
  const realtime = new OpenAIRealtimeWS(
    { model: 'gpt-realtime', options: { createConnection } },
    { apiKey: 'sk-test', baseURL: simulator.url },
  );
  const events: RealtimeServerEvent[] = [];
  realtime.on('event', (event) => events.push(event));
  realtime.on('error', () => undefined);
  const until = (type: RealtimeServerEvent['type']) =>
    new Promise<void>((resolve) => {
      realtime.on('event', (event) => {
        if (event.type === type) resolve();
      });
    });
  const types = () => [...new Set(events.map(({ type }) => type))];
  return { simulator, realtime, events, until, types };
}

function configure(realtime: OpenAIRealtimeWS): void {
  realtime.send({
    type: 'session.update',
    session: {
      type: 'realtime',
      audio: {
        input: {
          format: { type: 'audio/pcmu' },
          turn_detection: { type: 'server_vad', create_response: true, silence_duration_ms: 300 },
        },
        output: { format: { type: 'audio/pcmu' } },
      },
    },
  });
}

function append(realtime: OpenAIRealtimeWS, audio: Buffer): void {
  realtime.send({ type: 'input_audio_buffer.append', audio: audio.toString('base64') });
}

test('the SDK’s client configures it, speaks and is answered with the documented events', async () => {
  const { simulator, realtime, events, until, types } = await client({ speed: 50 });
  await until('session.created');
  configure(realtime);
  await until('session.updated');
  append(realtime, Buffer.concat([tone(600, 'pcmu'), silence(400, 'pcmu')]));
  await until('response.done');
  expect(types()).toEqual([
    'session.created',
    'session.updated',
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    'input_audio_buffer.committed',
    'conversation.item.added',
    'conversation.item.done',
    'conversation.item.input_audio_transcription.delta',
    'conversation.item.input_audio_transcription.completed',
    'response.created',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_audio.delta',
    'response.output_audio_transcript.delta',
    'response.output_audio.done',
    'response.output_audio_transcript.done',
    'response.output_item.done',
    'response.done',
  ]);
  const last = events.at(-1);
  expect(last?.type === 'response.done' && last.response.status).toBe('completed');
  expect(simulator.session.receivedAudioBytes).toBe(8000);
  expect(simulator.upgrades[0]?.headers['openai-beta']).toBeUndefined();
  realtime.close();
});

test('it detects turns by energy, not by any audio', async () => {
  const { realtime, until, types } = await client();
  await until('session.created');
  configure(realtime);
  await until('session.updated');
  append(realtime, silence(2000, 'pcmu'));
  realtime.send({ type: 'response.cancel' });
  await until('error');
  expect(types()).toEqual(['session.created', 'session.updated', 'error']);
  realtime.close();
});

test('it refuses what the service refuses', async () => {
  const { simulator, realtime, until } = await client({ speed: 1 });
  await until('session.created');
  configure(realtime);
  await until('session.updated');
  realtime.send({ type: 'response.create' });
  realtime.send({ type: 'response.create' });
  await until('error');
  const item_id = 'item_unknown';
  realtime.send({ type: 'conversation.item.truncate', item_id, content_index: 0, audio_end_ms: 1 });
  await until('error');
  realtime.send({ type: 'response.cancel' });
  await until('response.done');
  realtime.send({ type: 'response.cancel' });
  await until('error');
  expect(simulator.session.errors).toEqual([
    'conversation_already_has_active_response',
    'item_truncate_invalid_item_id',
    'response_cancel_not_active',
  ]);
  realtime.close();
});
