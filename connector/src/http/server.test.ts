import type { InjectOptions } from 'fastify';
import { expect, test } from 'vitest';
import { ConnectorError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { podStatusSchema } from '../contract/pod.ts';
import type { CallDetail, CallsApi, PlaceRequest } from './calls-api.ts';
import type { PodApi } from './pod-routes.ts';
import { createHttpServer, type HttpOptions, type Readiness } from './server.ts';

const call: CallDetail = {
  id: 'c1',
  direction: 'inbound',
  state: 'talking',
  startedAt: '2026-01-01T00:00:00.000Z',
  from: 'sip:alice@example.com',
  to: 'sip:pizza@example.com',
  timings: { setup: 20 },
  transcript: [{ role: 'caller', text: 'Hello', at: '2026-01-01T00:00:01.000Z' }],
};

class FakeCalls implements CallsApi {
  readonly placed: PlaceRequest[] = [];
  readonly ended: string[] = [];
  failure: Error | undefined;

  list() {
    const { id, direction, state, startedAt } = call;
    return [{ id, direction, state, startedAt }];
  }

  find(id: string) {
    return id === call.id ? call : undefined;
  }

  hangUp(id: string) {
    this.ended.push(id);
    return id === call.id;
  }

  readonly pressed: string[] = [];
  obstacle: 'held' | 'not-answered' | 'too-many' | undefined;

  sendDigits(id: string, digits: string) {
    if (id !== call.id) return 'gone';
    this.pressed.push(digits);
    return this.obstacle ?? 'accepted';
  }

  async place(request: PlaceRequest) {
    if (this.failure) throw this.failure;
    this.placed.push(request);
    return { id: 'c 2' };
  }
}

class FakePod implements PodApi {
  isDraining = false;
  epoch = 0;

  status() {
    const { isDraining, epoch } = this;
    const provider = { isReady: true, reason: 'Ready', message: 'openai answers' };
    return { activeCalls: 1, isDraining, epoch, revision: 'r1', provider };
  }

  setDraining(isDraining: boolean) {
    this.isDraining = isDraining;
    this.epoch += 1;
  }
}

function build(over: Partial<HttpOptions> = {}) {
  const calls = new FakeCalls();
  const server = createHttpServer({
    token: () => 'secret',
    calls,
    pod: new FakePod(),
    metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'parley_x 1\n' },
    readiness: () => ({ state: 'ready' }),
    log: silentLog,
    ...over,
  });
  return { server, calls };
}

async function ask(options: InjectOptions, over: Partial<HttpOptions> = {}) {
  const { server, calls } = build(over);
  const headers = { authorization: 'Bearer secret', ...options.headers };
  const response = await server.inject({ ...options, headers });
  return { response, calls };
}

function problem(status: number, detail: unknown, code?: string): object {
  return {
    type: 'about:blank',
    title: expect.any(String) as string,
    status,
    detail,
    ...(code === undefined ? {} : { code }),
  };
}

test('healthz answers without a token', async () => {
  const { response } = await ask({ url: '/healthz', headers: { authorization: '' } });
  expect([response.statusCode, response.json()]).toEqual([200, { status: 'ok' }]);
});

test.each<{ readiness: Readiness; want: number }>([
  { readiness: { state: 'ready' }, want: 200 },
  { readiness: { state: 'full', reason: '100 of 100 calls' }, want: 429 },
  { readiness: { state: 'starting', reason: 'synthesising phrases' }, want: 503 },
  { readiness: { state: 'draining', reason: '3 calls left' }, want: 503 },
])('readyz says $readiness.state with $want and why', async ({ readiness, want }) => {
  const { response } = await ask({ url: '/readyz' }, { readiness: () => readiness });
  expect([response.statusCode, response.json()]).toEqual([want, readiness]);
});

test('metrics come as their own content type', async () => {
  const { response } = await ask({ url: '/metrics' });
  expect(response.headers['content-type']).toBe('text/plain; version=0.0.4');
  expect(response.body).toBe('parley_x 1\n');
});

test.each([
  { name: 'none', authorization: '' },
  { name: 'a wrong one', authorization: 'Bearer wrong' },
  { name: 'a longer one', authorization: 'Bearer secrets' },
  { name: 'another scheme', authorization: 'Basic secret' },
  { name: 'an empty one', authorization: 'Bearer ' },
])('with $name as token the API answers 401', async ({ authorization }) => {
  const { response } = await ask({ url: '/v1/calls', headers: { authorization } });
  expect(response.statusCode).toBe(401);
  expect(response.headers['www-authenticate']).toBe('Bearer');
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.json()).toEqual(problem(401, 'a valid bearer token is needed'));
});

test('without a configured token the API is off and says so', async () => {
  const { response } = await ask({ url: '/v1/calls' }, { token: () => undefined });
  expect(response.json()).toEqual(problem(403, expect.stringContaining('http.tokenEnv')));
});

test('the token that counts is the one of now', async () => {
  let token = 'old';
  const { server } = build({ token: () => token });
  const statusWith = async (bearer: string) =>
    (await server.inject({ url: '/v1/calls', headers: { authorization: `Bearer ${bearer}` } }))
      .statusCode;
  expect([await statusWith('old'), await statusWith('new')]).toEqual([200, 401]);
  token = 'new';
  expect([await statusWith('old'), await statusWith('new')]).toEqual([401, 200]);
});

test('the status says what the contract has', async () => {
  const { response } = await ask({ url: '/v1/status' });
  expect(response.statusCode).toBe(200);
  expect(podStatusSchema.strict().parse(response.json())).toMatchObject({
    isDraining: false,
    revision: 'r1',
  });
});

test('a drain is answered with the status it has, and taken back', async () => {
  const pod = new FakePod();
  const put = await ask({ method: 'PUT', url: '/v1/drain' }, { pod });
  expect([put.response.statusCode, put.response.json()]).toMatchObject([
    200,
    { isDraining: true, epoch: 1 },
  ]);
  const taken = await ask({ method: 'DELETE', url: '/v1/drain' }, { pod });
  expect([taken.response.statusCode, taken.response.json()]).toMatchObject([
    200,
    { isDraining: false, epoch: 2 },
  ]);
});

test.each([
  { method: 'GET', url: '/v1/status' },
  { method: 'PUT', url: '/v1/drain' },
  { method: 'DELETE', url: '/v1/drain' },
] as const)('$method $url is refused without the token', async ({ method, url }) => {
  const pod = new FakePod();
  const wrong = { authorization: 'Bearer wrong' };
  const { response } = await ask({ method, url, headers: wrong }, { pod });
  expect(response.json()).toEqual(problem(401, 'a valid bearer token is needed'));
  const off = await ask({ method, url }, { pod, token: () => undefined });
  expect(off.response.json()).toEqual(problem(403, expect.stringContaining('http.tokenEnv')));
  expect(pod.epoch).toBe(0);
});

test('a list shows no personal data; a single call shows all', async () => {
  const list = await ask({ url: '/v1/calls' });
  expect(list.response.json()).toEqual({
    calls: [{ id: 'c1', direction: 'inbound', state: 'talking', startedAt: call.startedAt }],
  });
  const one = await ask({ url: '/v1/calls/c1' });
  expect(one.response.json()).toEqual(call);
});

test('a call is hung up once', async () => {
  const { response, calls } = await ask({ method: 'DELETE', url: '/v1/calls/c1' });
  expect([response.statusCode, response.body, calls.ended]).toEqual([204, '', ['c1']]);
});

test.each(['GET', 'DELETE'] as const)('%s of an unknown call is 404', async (method) => {
  const { response } = await ask({ method, url: '/v1/calls/c9' });
  expect(response.json()).toEqual(problem(404, 'there is no such call', 'CALL_GONE'));
});

test('a placed call is accepted with its address', async () => {
  const payload = { to: 'sip:bob@example.com', from: 'tel:+441632960961' };
  const { response, calls } = await ask({ method: 'POST', url: '/v1/calls', payload });
  expect([response.statusCode, response.json()]).toEqual([202, { id: 'c 2' }]);
  expect(response.headers.location).toBe('/v1/calls/c%202');
  expect(calls.placed).toEqual([payload]);
});

test.each([
  { name: 'no destination', payload: {}, detail: "body must have required property 'to'" },
  { name: 'a number for a URI', payload: { to: 5 }, detail: 'body/to must be string' },
  {
    name: 'a bare name',
    payload: { to: 'bob' },
    detail: expect.stringContaining('body/to') as string,
  },
  {
    name: 'an unknown member',
    payload: { to: 'sip:a@b', x: 1 },
    detail: 'body must NOT have additional properties',
  },
])('placing a call with $name is refused', async ({ payload, detail }) => {
  const { response, calls } = await ask({ method: 'POST', url: '/v1/calls', payload });
  expect(response.json()).toEqual(problem(400, detail));
  expect(calls.placed).toEqual([]);
});

test.each([
  { name: 'no JSON', body: '{', type: 'application/json', status: 400 },
  { name: 'another type', body: '<to/>', type: 'text/xml', status: 415 },
  { name: 'too much', body: `"${'x'.repeat(20_000)}"`, type: 'application/json', status: 413 },
])('a body that is $name gets $status', async ({ body, type, status }) => {
  const headers = { 'content-type': type };
  const { response } = await ask({ method: 'POST', url: '/v1/calls', payload: body, headers });
  expect(response.json()).toEqual(problem(status, expect.any(String)));
});

test.each([
  {
    error: new ConnectorError('DESTINATION_FORBIDDEN', 'not on the list'),
    want: problem(403, 'not on the list', 'DESTINATION_FORBIDDEN'),
  },
  {
    error: new ConnectorError('DRAINING', 'this process drains'),
    want: problem(503, 'this process drains', 'DRAINING'),
  },
  {
    error: new Error('sip:bob@example.com broke'),
    want: problem(500, 'the request failed inside the connector'),
  },
])('a refusal of the call handling becomes $want.status', async ({ error, want }) => {
  const { server, calls } = build();
  calls.failure = error;
  const response = await server.inject({
    method: 'POST',
    url: '/v1/calls',
    payload: { to: 'sip:bob@example.com' },
    headers: { authorization: 'Bearer secret' },
  });
  expect(response.json()).toEqual(want);
});

test('an unknown path is a problem too', async () => {
  const { response } = await ask({ url: '/nothing' });
  expect(response.json()).toEqual(problem(404, 'there is nothing at this path'));
});

const dtmf = (digits: unknown, id = 'c1') =>
  ({ method: 'POST', url: `/v1/calls/${id}/dtmf`, payload: { digits } }) as const;

test('keys are taken for a call', async () => {
  const { response, calls } = await ask(dtmf('12*#D'));
  expect([response.statusCode, response.body, calls.pressed]).toEqual([202, '', ['12*#D']]);
});

test.each(['', 'x', '12e', '1'.repeat(65), { a: 1 }])(
  'keys that are none are a 400: %j',
  async (digits) => {
    const { response, calls } = await ask(dtmf(digits));
    expect([response.statusCode, calls.pressed]).toEqual([400, []]);
    expect(response.headers['content-type']).toContain('application/problem+json');
  },
);

test('the answer to keys that are none does not repeat them', async () => {
  const { response } = await ask(dtmf('4711-0815'));
  expect(response.body).not.toContain('4711');
});

test('keys for a call that is not there, or without a token, are refused', async () => {
  expect((await ask(dtmf('1', 'c9'))).response.json()).toEqual(
    problem(404, 'there is no such call', 'CALL_GONE'),
  );
  const anonymous = await ask({ ...dtmf('1'), headers: { authorization: '' } });
  expect([anonymous.response.statusCode, anonymous.calls.pressed]).toEqual([401, []]);
});

test.each([
  ['held', 'the call is on hold'],
  ['not-answered', 'the call is not answered'],
  ['too-many', 'too many keys are waiting to be pressed'],
] as const)('keys for a call that is %s are a 409', async (obstacle, detail) => {
  const { server, calls } = build();
  calls.obstacle = obstacle;
  const headers = { authorization: 'Bearer secret' };
  const response = await server.inject({ ...dtmf('1'), headers });
  expect([response.statusCode, response.json()]).toEqual([409, problem(409, detail)]);
});
