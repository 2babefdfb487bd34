import { expect, test } from 'vitest';
import { agentSchema } from '../../contract/agent.ts';
import type { Arguments } from './arguments.ts';
import type { ToolRequest } from './http-request.ts';
import { redirectOf, requestOf } from './http-request.ts';
import type { HttpTool } from './specs.ts';

function toolOf(http: Record<string, unknown>): HttpTool {
  const agent = agentSchema.parse({ providers: [{ openai: {} }], tools: [{ name: 't', http }] });
  const [tool] = agent.tools;
  if (!tool || !('http' in tool)) throw new Error('not an HTTP tool');
  return tool;
}

function make(http: Record<string, unknown>, args: Arguments): ToolRequest {
  return requestOf(toolOf(http), args, {
    secretHeaders: { Authorization: 'Bearer x' },
    idempotencyKey: 'k-1',
  });
}

test('arguments go as a JSON body with the headers of the tool and its secret file', () => {
  const request = make(
    { url: 'https://api.example.com/orders?shop=1', headers: { 'X-Shop': 'bella' } },
    { id: 7 },
  );
  expect(request).toMatchObject({
    method: 'POST',
    body: '{"id":7}',
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer x',
      'x-shop': 'bella',
      'idempotency-key': 'k-1',
    },
  });
  expect(request.url.href).toBe('https://api.example.com/orders?shop=1');
});

test('with GET they go as the query: lists repeat the name, objects are JSON, null is left out', () => {
  const request = make(
    { url: 'https://api.example.com/orders?shop=1', method: 'GET' },
    { id: 7, tag: ['a', 'b&c'], deep: { x: 1 }, none: null, flag: true },
  );
  expect(request.body).toBeUndefined();
  expect(request.headers).not.toHaveProperty('content-type');
  expect([...request.url.searchParams]).toEqual([
    ['shop', '1'],
    ['id', '7'],
    ['tag', 'a'],
    ['tag', 'b&c'],
    ['deep', '{"x":1}'],
    ['flag', 'true'],
  ]);
});

const post = make({ url: 'https://api.example.com/orders' }, { id: 7 });

test.each([
  { status: 301, method: 'GET' },
  { status: 302, method: 'GET' },
  { status: 303, method: 'GET' },
  { status: 307, method: 'POST' },
  { status: 308, method: 'POST' },
])('$status turns POST into $method', ({ status, method }) => {
  const next = redirectOf(post, status, '/elsewhere');
  expect(next).toMatchObject({
    method,
    body: method === 'POST' ? '{"id":7}' : undefined,
    headers: { authorization: 'Bearer x' },
  });
  expect((next as ToolRequest).url.href).toBe('https://api.example.com/elsewhere');
});

test('no header of the tool goes to another origin', () => {
  const next = redirectOf(post, 307, 'https://evil.example.net/') as ToolRequest;
  expect(Object.keys(next.headers).toSorted()).toEqual([
    'accept',
    'accept-encoding',
    'content-type',
    'user-agent',
  ]);
});

test.each([
  { location: undefined, problem: 'the redirect has no valid location' },
  { location: 'http://', problem: 'the redirect has no valid location' },
  { location: 'file:///etc/passwd', problem: 'the redirect leads out of HTTP' },
  { location: 'http://api.example.com/', problem: 'the redirect leads from https to http' },
])('a redirect to $location is refused', ({ location, problem }) => {
  expect(redirectOf(post, 302, location)).toBe(problem);
});
