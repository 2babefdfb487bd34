import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FakeProvider } from '../../test/support/fake-provider.ts';
import { ConnectorError } from '../base/errors.ts';
import { type Log, silentLog } from '../base/log.ts';
import { WatchedProvider } from './provider-health.ts';
import { ProviderWatch } from './provider-watch.ts';

const refused = new ConnectorError('PROVIDER_REFUSED', 'openai answered HTTP 401');

function setUp() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const note = (fields: object, message: string) =>
    void lines.push(`${message} ${'reason' in fields ? String(fields.reason) : ''}`);
  const log: Log = { ...silentLog, info: note, warn: note };
  const watch = new ProviderWatch({ clock, log });
  const wrap = (provider: FakeProvider) =>
    new WatchedProvider({ provider, clock, redact: (text) => text });
  const settle = () => clock.advanceAsync(0);
  return { clock, lines, watch, wrap, settle };
}

/** What a caller does. */
const call = (provider: WatchedProvider) =>
  provider
    .open(
      { format: 'pcmu', instructions: '', tools: [], history: [] },
      () => undefined,
      new AbortController().signal,
    )
    .catch(() => undefined);

test('the first is tried at once, the rest only as long as none works', async () => {
  const { clock, watch, wrap, settle, lines } = setUp();
  const [first, second] = [new FakeProvider('first'), new FakeProvider('second')];
  watch.use([wrap(first), wrap(second)]);
  expect(watch.report).toMatchObject({ isReady: false, reason: 'Starting' });
  await settle();
  expect(watch.report).toMatchObject({ isReady: true, reason: 'Ready' });
  expect([first.attempts, second.attempts, clock.pending]).toEqual([1, 0, 0]);
  expect(lines).toEqual(['provider is ready Ready']);
});

test('while the first does not work it is tried once a minute', async () => {
  const { clock, watch, wrap, settle, lines } = setUp();
  const first = new FakeProvider('first', refused, refused, 'at once');
  const second = new FakeProvider('second');
  watch.use([wrap(first), wrap(second)]);
  await settle();
  expect(watch.report).toMatchObject({ isReady: true, reason: 'Fallback' });
  await clock.advanceAsync(59_999);
  expect(first.attempts).toBe(1);
  await clock.advanceAsync(1);
  expect([first.attempts, watch.report.reason]).toEqual([2, 'Fallback']);
  await clock.advanceAsync(60_000);
  expect([first.attempts, watch.report.reason, second.attempts]).toEqual([3, 'Ready', 1]);
  expect(clock.pending).toBe(0);
  expect(lines).toEqual([
    'provider is not ready Unauthorized',
    'provider is ready Fallback',
    'provider is ready Ready',
  ]);
});

test('calls tell that a provider fails, and that it works again', async () => {
  const { clock, watch, wrap, settle } = setUp();
  const provider = wrap(new FakeProvider('only', 'at once', refused, 'at once'));
  watch.use([provider]);
  await settle();
  await call(provider);
  expect([watch.report.reason, clock.pending]).toEqual(['Unauthorized', 1]);
  await call(provider);
  expect(watch.report.reason).toBe('Ready');
  await clock.advanceAsync(120_000);
  expect(clock.pending).toBe(0);
});

test('a provider that never answers is given up', async () => {
  const { clock, watch, wrap } = setUp();
  watch.use([wrap(new FakeProvider('only', 'never'))]);
  await clock.advanceAsync(30_000);
  expect(watch.report).toMatchObject({ isReady: false, reason: 'Timeout' });
});

test('another provider is tried at once, a known one is not asked again', async () => {
  const { watch, wrap, settle } = setUp();
  const [old, fresh] = [new FakeProvider('old', refused), new FakeProvider('fresh')];
  const kept = new FakeProvider('kept');
  const wrapped = wrap(kept);
  watch.use([wrap(old), wrapped]);
  await settle();
  watch.use([wrap(fresh), wrapped]);
  expect(watch.report.reason).toBe('Fallback');
  await settle();
  expect([watch.report.reason, fresh.attempts, kept.attempts]).toEqual(['Ready', 1, 1]);
  watch.use([wrapped]);
  await settle();
  expect([watch.report.reason, kept.attempts]).toEqual(['Ready', 1]);
});

test('closed, it tries nothing any more', async () => {
  const { clock, watch, wrap } = setUp();
  const provider = new FakeProvider('only', refused);
  watch.use([wrap(provider)]);
  await clock.advanceAsync(0);
  watch.close();
  watch.close();
  await clock.advanceAsync(120_000);
  expect([provider.attempts, clock.pending]).toEqual([1, 0]);
});
