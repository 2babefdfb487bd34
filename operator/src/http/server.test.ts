import { Gauge, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createHttpServer, type Health } from './server.ts';

const good: Health = { isGood: true, reasons: [] };
const bad: Health = { isGood: false, reasons: ['no whole list of Pod yet'] };

function serverOf(overrides: { live?: Health; ready?: Health } = {}) {
  const registry = new Registry();
  new Gauge({ name: 'a_gauge', help: 'Of a test.', registers: [registry] }).set(1);
  return createHttpServer({
    live: () => overrides.live ?? good,
    ready: () => overrides.ready ?? good,
    registry,
  });
}

test.each([
  { name: 'a live process', path: '/healthz', given: {}, status: 200 },
  { name: 'a stuck process', path: '/healthz', given: { live: bad }, status: 503 },
  {
    name: 'a process that does not know the cluster yet',
    path: '/healthz',
    given: { ready: bad },
    status: 200,
  },
  {
    name: 'the same, asked whether it is ready',
    path: '/readyz',
    given: { ready: bad },
    status: 503,
  },
  { name: 'nothing there', path: '/', given: {}, status: 404 },
])('$name answers $status', async ({ path, given, status }) => {
  const { statusCode } = await serverOf(given).inject(path);
  expect(statusCode).toBe(status);
});

test('a probe says what is wrong', async () => {
  const { body } = await serverOf({ ready: bad }).inject('/readyz');
  expect(JSON.parse(body)).toEqual(bad);
});

test('metrics are in the format of Prometheus', async () => {
  const { body } = await serverOf().inject('/metrics');
  expect(body).toContain('a_gauge 1');
});
