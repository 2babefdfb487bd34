import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FakeProvider } from '../../test/support/fake-provider.ts';
import { ConnectorError, type ErrorCode } from '../base/errors.ts';
import { type Health, reasonOf, reportOf, WatchedProvider } from './provider-health.ts';

const redact = (text: string) => text.replaceAll('sk-secret', '***');
const options = { format: 'pcmu', instructions: '', tools: [], history: [] } as const;

function watched(...script: ConstructorParameters<typeof FakeProvider>) {
  const clock = new FakeClock();
  const provider = new FakeProvider(...script);
  const changes: (Health | undefined)[] = [];
  const subject: WatchedProvider = new WatchedProvider({ provider, clock, redact });
  subject.listen(() => void changes.push(subject.health));
  const open = (signal = new AbortController().signal) =>
    subject.open(options, () => undefined, signal);
  return { clock, provider, subject, changes, open };
}

const ready = { isReady: true, reason: 'Ready', message: 'openai answers' };

test.each<{ code: ErrorCode; message: string; want: string }>([
  {
    code: 'PROVIDER_REFUSED',
    message: 'openai answered HTTP 401 invalid_api_key',
    want: 'Unauthorized',
  },
  {
    code: 'PROVIDER_REFUSED',
    message: 'the server reported invalid_api_key',
    want: 'Unauthorized',
  },
  {
    code: 'PROVIDER_REFUSED',
    message: 'openai answered HTTP 429 insufficient_quota',
    want: 'QuotaExceeded',
  },
  { code: 'PROVIDER_REFUSED', message: 'openai answered HTTP 403', want: 'Forbidden' },
  { code: 'PROVIDER_REFUSED', message: 'the server reported model_not_found', want: 'NotFound' },
  { code: 'PROVIDER_REFUSED', message: 'the server reported an error', want: 'Refused' },
  { code: 'PROVIDER_UNAVAILABLE', message: 'openai answered HTTP 429', want: 'RateLimited' },
  { code: 'PROVIDER_UNAVAILABLE', message: 'openai answered HTTP 503', want: 'ServerError' },
  { code: 'PROVIDER_UNAVAILABLE', message: 'openai cannot be reached', want: 'Unreachable' },
  {
    code: 'PROVIDER_TIMEOUT',
    message: 'openai did not open a session in 10000 ms',
    want: 'Timeout',
  },
  { code: 'CONFIG_INVALID', message: 'a word is not known', want: 'InvalidConfiguration' },
  { code: 'CALL_GONE', message: 'the call ended', want: 'Failed' },
])('"$message" is $want', ({ code, message, want }) => {
  expect(reasonOf(code, message)).toBe(want);
});

test('a session that opens makes it ready, one that is refused does not', async () => {
  const refused = new ConnectorError('PROVIDER_REFUSED', 'openai answered HTTP 401');
  const { subject, open, changes } = watched('openai', 'at once', refused, 'at once');
  expect(subject.health).toBeUndefined();
  await open();
  expect(subject.health).toEqual(ready);
  await expect(open()).rejects.toBe(refused);
  expect(subject.health).toEqual({
    isReady: false,
    reason: 'Unauthorized',
    message: 'openai answered HTTP 401',
  });
  await open();
  expect(changes.map((health) => health?.isReady)).toEqual([true, false, true]);
});

test('a message says what the system said, and no secret', async () => {
  const cause = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
  const { subject, open } = watched(
    'openai',
    new ConnectorError('PROVIDER_UNAVAILABLE', 'openai cannot be reached', { cause }),
    new ConnectorError('PROVIDER_REFUSED', 'the key sk-secret is bad'),
  );
  await open().catch(() => undefined);
  expect(subject.health?.message).toBe('openai cannot be reached: ENOTFOUND');
  await open().catch(() => undefined);
  expect(subject.health?.message).toBe('openai: the key *** is bad');
});

test.each([
  { after: 1000, want: undefined },
  { after: 4000, want: 'Timeout' },
])('an opening that is given up after $after ms says $want', async ({ after, want }) => {
  const { clock, subject, open } = watched('openai', 'never');
  const abort = new AbortController();
  const opening = open(abort.signal);
  await clock.advanceAsync(after);
  abort.abort();
  await expect(opening).rejects.toThrow('aborted');
  expect(subject.health?.reason).toBe(want);
});

test.each([
  { type: 'lost', code: 'insufficient_quota', want: 'QuotaExceeded' },
  { type: 'fault', code: 'insufficient_quota', want: 'QuotaExceeded' },
  { type: 'lost', code: 'invalid_api_key', want: 'Unauthorized' },
  { type: 'lost', code: 'session_expired', want: 'Ready' },
  { type: 'lost', code: 'closed_1006', want: 'Ready' },
] as const)('a session that reports $type $code leaves it $want', async ({ type, code, want }) => {
  const { provider, subject, open } = watched('openai', 'at once');
  await open();
  provider.session.emit(
    type === 'fault' ? { type, code, message: '' } : { type, code, message: '', retryable: false },
  );
  expect(subject.health?.reason).toBe(want);
});

test('a probe opens a session and closes it', async () => {
  const { provider, subject } = watched('openai', 'at once');
  await subject.probe(new AbortController().signal);
  expect([subject.health, provider.session.isClosed]).toEqual([ready, true]);
});

const bad = (name: string, reason: string): { name: string; health: Health } => ({
  name,
  health: { isReady: false, reason, message: `${name} is bad` },
});
const good = (name: string) => ({ name, health: { ...ready, message: `${name} answers` } });
const unknown = (name: string) => ({ name, health: undefined });

test.each([
  {
    name: 'the first works',
    given: [good('a'), bad('b', 'X')],
    want: [true, 'Ready', 'a answers'],
  },
  {
    name: 'the second works',
    given: [bad('a', 'Unauthorized'), good('b')],
    want: [true, 'Fallback', 'b answers; a is bad'],
  },
  {
    name: 'none works',
    given: [bad('a', 'Unauthorized'), bad('b', 'Unreachable')],
    want: [false, 'Unauthorized', 'a is bad; b is bad'],
  },
  {
    name: 'nothing is known',
    given: [unknown('a'), unknown('b')],
    want: [false, 'Starting', 'a is being tried; b is being tried'],
  },
])('the report where $name', ({ given, want }) => {
  const { isReady, reason, message } = reportOf(given);
  expect([isReady, reason, message]).toEqual(want);
});
