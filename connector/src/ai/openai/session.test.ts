import { expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../base/log.ts';
import { agentSchema } from '../../contract/agent.ts';
import type { SessionEvent } from '../session.ts';
import { codecGa } from './codec-ga.ts';
import type { Connection, ConnectionUser } from './connect.ts';
import { OpenAiSession } from './session.ts';

class FakeConnection implements Connection {
  readonly user: ConnectionUser;
  readonly sent: string[] = [];
  readonly acts: string[] = [];
  bufferedBytes = 0;

  constructor(user: ConnectionUser) {
    this.user = user;
  }

  send(event: string | Buffer): void {
    this.sent.push(event.toString());
  }

  ping(): void {
    this.acts.push('ping');
  }

  close(): void {
    this.acts.push('close');
  }

  terminate(): void {
    this.acts.push('terminate');
  }
}

function build(
  onEvent: (event: SessionEvent, session: OpenAiSession) => void = () => undefined,
  openai: object = {},
) {
  const { providers } = agentSchema.parse({ providers: [{ openai }] });
  const [provider] = providers;
  if (provider === undefined || !('openai' in provider)) throw new Error('no provider');
  const connections: FakeConnection[] = [];
  const events: SessionEvent[] = [];
  const outcomes: string[] = [];
  const clock = new FakeClock();
  const session: OpenAiSession = new OpenAiSession(
    {
      connect: (user) => {
        const made = new FakeConnection(user);
        connections.push(made);
        return made;
      },
      codec: codecGa,
      settings: {
        provider: provider.openai,
        session: { format: 'pcmu', instructions: '', tools: [], history: [] },
      },
      clock,
      log: silentLog,
      onEvent: (event) => {
        events.push(event);
        onEvent(event, session);
      },
    },
    {
      onReady: () => outcomes.push('ready'),
      onFailed: (error) => outcomes.push(error.code),
    },
  );
  const [connection] = connections;
  if (connection === undefined) throw new Error('no connection');
  return { session, connection, events, outcomes, clock };
}

function opened(
  onEvent?: (event: SessionEvent, session: OpenAiSession) => void,
  openai: object = {},
) {
  const built = build(onEvent, openai);
  built.connection.user.onEvent({ type: 'session.created' });
  built.connection.user.onEvent({ type: 'session.updated' });
  built.connection.sent.length = 0;
  return built;
}

const types = (sent: readonly string[]) =>
  sent.map((text) => /"type":"([^"]+)"/.exec(text)?.[1] ?? text);

const frame = Buffer.alloc(160, 0x55);

test('audio goes out as one JSON text', () => {
  const { session, connection } = opened();
  session.appendAudio(frame);
  expect(connection.sent.map((text) => JSON.parse(text) as unknown)).toEqual([
    { type: 'input_audio_buffer.append', audio: frame.toString('base64') },
  ]);
});

test('audio that is being collected goes out before a command, and before the goodbye', () => {
  const { session, connection, clock } = opened(undefined, { appendMs: 60 });
  for (let count = 0; count < 4; count++) session.appendAudio(frame);
  session.appendDigit('5');
  session.appendAudio(frame);
  session.close();
  expect(types(connection.sent)).toEqual([
    'input_audio_buffer.append',
    'input_audio_buffer.append',
    'conversation.item.create',
    'input_audio_buffer.append',
  ]);
  expect(connection.sent.map((text) => text.length > 600)).toEqual([true, false, false, false]);
  clock.advance(10_000);
  expect(clock.pending).toBe(0);
});

test('with a backlog that stays audio is dropped, with one fault, until half of it is gone', () => {
  const { session, connection, events, clock } = opened();
  const send = (bufferedBytes: number, after: number) => {
    clock.advance(after);
    connection.bufferedBytes = bufferedBytes;
    session.appendAudio(frame);
    return connection.sent.length;
  };
  expect(send(0, 20)).toBe(1);
  expect(send(49_153, 4000)).toBe(2);
  expect(send(49_153, 1)).toBe(2);
  expect(send(30_000, 20)).toBe(2);
  expect(send(24_000, 20)).toBe(3);
  expect(send(49_153, 4001)).toBe(3);
  expect(events.map((event) => event.type === 'fault' && event.code)).toEqual([
    'backlog',
    'backlog',
  ]);
});

test('words that waited may go out at once, but not without end', () => {
  const { session, connection } = opened();
  for (const bufferedBytes of [0, 140_000, 196_608, 196_609]) {
    connection.bufferedBytes = bufferedBytes;
    session.appendAudio(frame);
  }
  expect(connection.sent).toHaveLength(3);
});

test('what is asked for from within an event goes out after what the event entails', () => {
  const { session, connection } = opened((event, own) => {
    if (event.type === 'reply-ended') own.appendDigit('5');
  });
  session.say('a');
  session.say('b');
  connection.user.onEvent({ type: 'response.created', response: { id: 'r1' } });
  connection.user.onEvent({ type: 'response.done', response: { id: 'r1', status: 'completed' } });
  expect(types(connection.sent)).toEqual([
    'response.create',
    'response.create',
    'conversation.item.create',
  ]);
});

test('a session closed from within an event says nothing more and leaves no timer', () => {
  const { session, connection, events, clock } = opened((event, own) => {
    if (event.type === 'reply-started') own.close();
  });
  session.say('a');
  connection.user.onEvent({ type: 'response.created', response: { id: 'r1' } });
  connection.user.onEvent({ type: 'response.done', response: { id: 'r1', status: 'completed' } });
  connection.user.onClosed(1000);
  expect(events.map(({ type }) => type)).toEqual(['reply-started']);
  expect(clock.pending).toBe(0);
});

test('a server that does not say goodbye is cut off', () => {
  const { session, connection, clock } = opened();
  session.close();
  session.close();
  clock.advance(2000);
  expect(connection.acts).toEqual(['close', 'terminate']);
  expect(clock.pending).toBe(0);
});

test('a loss is reported once, whatever follows it', () => {
  const { session, connection, events, clock } = opened((event, own) => {
    if (event.type === 'lost') own.close();
  });
  connection.user.onEvent({ type: 'error', error: { code: 'session_expired' } });
  connection.user.onClosed(1001);
  connection.user.onEvent({ type: 'input_audio_buffer.speech_started' });
  session.say('x');
  session.appendAudio(frame);
  expect(events).toEqual([
    {
      type: 'lost',
      code: 'session_expired',
      message: 'the server reported session_expired',
      retryable: true,
    },
  ]);
  expect(connection.sent).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('a server is pinged, and lost when it does not answer in time', () => {
  const { connection, events, clock } = opened();
  clock.advance(10_000);
  connection.user.onPong();
  clock.advance(10_000);
  clock.advance(7999);
  expect(events).toEqual([]);
  clock.advance(1);
  expect(connection.acts).toEqual(['ping', 'ping', 'terminate']);
  expect(events).toMatchObject([{ type: 'lost', code: 'ping_timeout' }]);
  expect(clock.pending).toBe(0);
});

test('any event of the server stands for a pong', () => {
  const { connection, events, clock } = opened();
  clock.advance(10_000);
  connection.user.onEvent({ type: 'rate_limits.updated' });
  clock.advance(9999);
  expect(events).toEqual([]);
});

test('a reply that does not come is given up by the clock', () => {
  const { session, events, clock } = opened();
  session.respond();
  clock.advance(10_000);
  expect(events).toMatchObject([{ type: 'fault', code: 'response_timeout' }]);
});

test('an opening ends once: ready, or failed with the reason', () => {
  expect(opened().outcomes).toEqual(['ready']);
  const refused = build();
  refused.connection.user.onEvent({ type: 'session.created' });
  refused.connection.user.onEvent({ type: 'error', error: { code: 'invalid_value' } });
  refused.connection.user.onClosed(1000);
  expect(refused.outcomes).toEqual(['PROVIDER_REFUSED']);
  const busy = build();
  busy.connection.user.onEvent({ type: 'error', error: { code: 'rate_limit_exceeded' } });
  expect(busy.outcomes).toEqual(['PROVIDER_UNAVAILABLE']);
  const closed = build();
  closed.connection.user.onClosed(1008);
  expect(closed.outcomes).toEqual(['PROVIDER_REFUSED']);
  for (const { events, clock } of [refused, busy, closed])
    expect([events, clock.pending]).toEqual([[], 0]);
});
