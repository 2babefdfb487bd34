import type { Arguments } from './arguments.ts';
import type { HttpTool } from './specs.ts';

/** One HTTP request of a tool; a redirect makes another. */
export interface ToolRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** The request for a call: arguments as JSON, or with GET as the query. */
export function requestOf(
  tool: HttpTool,
  args: Arguments,
  of: { readonly secretHeaders: Readonly<Record<string, string>>; readonly idempotencyKey: string },
): ToolRequest {
  const { method } = tool.http;
  const url = new URL(tool.http.url);
  const isQuery = method === 'GET';
  if (isQuery) for (const [name, value] of queryOf(args)) url.searchParams.append(name, value);
  const headers = {
    accept: 'application/json, text/*;q=0.9, */*;q=0.1',
    'accept-encoding': 'identity',
    'user-agent': 'parley-connector',
    ...(isQuery ? {} : { 'content-type': 'application/json' }),
    ...lowerCased(tool.http.headers),
    ...lowerCased(of.secretHeaders),
    'idempotency-key': of.idempotencyKey,
  };
  return { method, url, headers, body: isQuery ? undefined : JSON.stringify(args) };
}

/** Lists repeat the name; objects go as JSON; null and undefined are left out. */
function queryOf(args: Arguments): [string, string][] {
  return Object.entries(args).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((one) => one !== null && one !== undefined)
      .map((one): [string, string] => [name, typeof one === 'string' ? one : JSON.stringify(one)]),
  );
}

/** Headers that are ours whatever host is asked. */
const harmless = new Set(['accept', 'accept-encoding', 'user-agent', 'content-type']);

/**
 * The request that follows a redirect (RFC 9110 §15.4), or what is wrong with it. To another origin go
 * none of the tool's own headers, for they may hold keys.
 */
export function redirectOf(
  request: ToolRequest,
  status: number,
  location: string | undefined,
): ToolRequest | string {
  if (location === undefined || !URL.canParse(location, request.url.href))
    return 'the redirect has no valid location';
  const url = new URL(location, request.url);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'the redirect leads out of HTTP';
  if (request.url.protocol === 'https:' && url.protocol === 'http:')
    return 'the redirect leads from https to http';
  const becomesGet =
    status === 303 || ((status === 301 || status === 302) && request.method === 'POST');
  const isSameOrigin = url.origin === request.url.origin;
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(
      ([name]) => (isSameOrigin || harmless.has(name)) && !(becomesGet && name === 'content-type'),
    ),
  );
  return becomesGet
    ? { method: 'GET', url, headers, body: undefined }
    : { ...request, url, headers };
}

export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
