import { silentLog } from '@parley/connector/base/log';
import { expect, test } from 'vitest';
import { FakeClock } from '../../../connector/test/support/fake-clock.ts';
import type { KubeClient } from './client.ts';
import { createEventRecorder } from './event-recorder.ts';
import type { Event } from './kinds.ts';
import { errorOfStatus } from './kube-error.ts';
import type { KubeObject } from './object.ts';

/** Keeps events as the API server does. */
class FakeEvents {
  readonly written = new Map<string, Event>();
  readonly calls: string[] = [];
  failure: Error | undefined;

  get asClient(): Pick<KubeClient, 'create' | 'patch'> {
    const client = {
      create: async (_: unknown, event: Event) => {
        this.calls.push('create');
        if (this.failure) throw this.failure;
        this.written.set(event.metadata.name ?? '', event);
        return event;
      },
      patch: async (
        _: unknown,
        { name }: { name: string },
        { patch }: { patch: { body: object } },
      ) => {
        this.calls.push('patch');
        const known = this.written.get(name);
        if (!known) throw errorOfStatus(404, { reason: 'NotFound' });
        this.written.set(name, { ...known, ...patch.body });
        return known;
      },
    };
    return client as unknown as Pick<KubeClient, 'create' | 'patch'>;
  }

  get told(): string[] {
    return [...this.written.values()].map(
      ({ reason, message, count }) => `${count} ${reason} ${message}`,
    );
  }
}

function setup() {
  const clock = new FakeClock();
  const server = new FakeEvents();
  const recorder = createEventRecorder({
    client: server.asClient,
    component: 'parley-operator',
    instance: 'pod-1',
    clock,
    log: silentLog,
  });
  return { clock, server, recorder };
}

const agent: KubeObject = {
  apiVersion: 'parley.dev/v1alpha1',
  kind: 'VoiceAgent',
  metadata: { namespace: 'shop', name: 'pizza', uid: 'u1', resourceVersion: '7' },
};
const missing = { type: 'Warning', reason: 'SecretMissing', message: 'no secret openai' } as const;

test('an event says what, about whom, when and by whom', async () => {
  const { server, recorder } = setup();
  recorder.record(agent, missing);
  await recorder.close();
  const [event] = server.written.values();
  expect(event).toEqual({
    metadata: { name: `pizza.${Date.UTC(2026, 0, 1).toString(16)}.1`, namespace: 'shop' },
    involvedObject: {
      apiVersion: 'parley.dev/v1alpha1',
      kind: 'VoiceAgent',
      namespace: 'shop',
      name: 'pizza',
      uid: 'u1',
      resourceVersion: '7',
    },
    ...missing,
    count: 1,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    source: { component: 'parley-operator', host: 'pod-1' },
    reportingComponent: 'parley-operator',
    reportingInstance: 'pod-1',
  });
});

test('the same again counts up; what the server forgot is written anew', async () => {
  const { clock, server, recorder } = setup();
  recorder.record(agent, missing);
  await clock.advanceAsync(60_000);
  recorder.record(agent, missing);
  await clock.advanceAsync(0);
  expect([server.calls, server.told]).toEqual([
    ['create', 'patch'],
    ['2 SecretMissing no secret openai'],
  ]);
  server.written.clear();
  recorder.record(agent, missing);
  await recorder.close();
  expect([server.calls, server.told]).toEqual([
    ['create', 'patch', 'patch', 'create'],
    ['3 SecretMissing no secret openai'],
  ]);
});

test('many of one reason become one event', async () => {
  const { server, recorder } = setup();
  for (let n = 0; n < 20; n++) recorder.record(agent, { ...missing, message: `no secret ${n}` });
  await recorder.close();
  expect(server.told).toHaveLength(11);
  expect(server.told.at(-1)).toContain('10 SecretMissing');
  expect(server.told.at(-1)).toContain('combined from similar events');
});

test('an object has a budget, others have their own, and it refills', async () => {
  const { clock, server, recorder } = setup();
  const record = (uid: string): void =>
    recorder.record({ ...agent, metadata: { name: 'x', uid } }, missing);
  for (let n = 0; n < 100; n++) record('u1');
  record('u2');
  await clock.advanceAsync(0);
  expect(server.told).toEqual([
    '25 SecretMissing no secret openai',
    '1 SecretMissing no secret openai',
  ]);
  await clock.advanceAsync(300_000);
  record('u1');
  record('u1');
  await recorder.close();
  expect(server.told[0]).toBe('26 SecretMissing no secret openai');
});

test('a failure loses the event and nothing else', async () => {
  const { clock, server, recorder } = setup();
  server.failure = errorOfStatus(403, { reason: 'Forbidden' });
  recorder.record(agent, missing);
  await clock.advanceAsync(0);
  server.failure = undefined;
  recorder.record(agent, missing);
  await recorder.close();
  expect(server.told).toEqual(['2 SecretMissing no secret openai']);
});

test('what is about no object, or comes after close, is not written', async () => {
  const { server, recorder } = setup();
  recorder.record({ kind: 'VoiceAgent', metadata: { name: 'x' } }, missing);
  await recorder.close();
  recorder.record(agent, missing);
  await recorder.close();
  expect(server.calls).toEqual([]);
});

test('a long message is cut', async () => {
  const { server, recorder } = setup();
  recorder.record(agent, { ...missing, message: 'x'.repeat(5000) });
  await recorder.close();
  expect([...server.written.values()][0]?.message).toHaveLength(1024);
});

test('close does not wait for an API server that is silent', async () => {
  const clock = new FakeClock();
  const silent = { create: () => new Promise(() => undefined) };
  const recorder = createEventRecorder({
    client: silent as unknown as Pick<KubeClient, 'create' | 'patch'>,
    component: 'parley-operator',
    instance: 'pod-1',
    clock,
    log: silentLog,
  });
  recorder.record(agent, missing);
  const closed = recorder.close();
  await clock.advanceAsync(5000);
  await expect(closed).resolves.toBeUndefined();
  expect(clock.pending).toBe(0);
});
