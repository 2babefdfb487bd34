import { lookup as resolve } from 'node:dns';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { isForbiddenAddress } from './address.ts';
import type { ToolAnswer } from './answer.ts';
import { failure, refusal } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { isRecord } from './arguments.ts';
import type { ToolRequest } from './http-request.ts';
import { isRedirect, redirectOf, requestOf } from './http-request.ts';
import type { HttpTool } from './specs.ts';

const maxRedirects = 3;
/** More than a model should read aloud; the rest is cut off. */
const maxBodyBytes = 65_536;

export interface HttpCall {
  readonly tool: HttpTool;
  readonly arguments: Arguments;
  /** The same for each repetition of the call. */
  readonly idempotencyKey: string;
  /** The conversation is over. */
  readonly signal: AbortSignal;
}

export interface HttpDependencies {
  readonly clock: Clock;
  /** Addresses that a tool without `allowPrivateAddresses` may not connect to. */
  readonly isForbidden?: (address: string) => boolean;
}

/** Carries out an HTTP tool's call. Never rejects: what goes wrong is the answer. */
export async function callHttpTool(
  call: HttpCall,
  dependencies: HttpDependencies,
): Promise<ToolAnswer> {
  const { tool } = call;
  const { clock, isForbidden = isForbiddenAddress } = dependencies;
  const timeout = new AbortController();
  const timer = clock.after(tool.http.timeoutSeconds * 1000, () => timeout.abort());
  const signal = AbortSignal.any([timeout.signal, call.signal]);
  try {
    const secretHeaders = await secretHeadersOf(tool);
    if (!secretHeaders) return failure('the tool is not configured correctly');
    const request = requestOf(tool, call.arguments, { ...call, secretHeaders });
    const refuses = tool.http.allowPrivateAddresses ? (): boolean => false : isForbidden;
    return await follow(request, { refuses, signal });
  } catch (error) {
    if (error instanceof ForbiddenAddress) return refusal('the address of the tool is not allowed');
    return failure(timeout.signal.aborted ? timedOut(tool) : unreachable(tool));
  } finally {
    timer.cancel();
  }
}

function timedOut(tool: HttpTool): string {
  return `no answer within ${tool.http.timeoutSeconds} s${doubt(tool)}`;
}

function unreachable(tool: HttpTool): string {
  return `the service could not be reached${doubt(tool)}`;
}

/** The request may have arrived although no answer came. */
function doubt(tool: HttpTool): string {
  if (tool.http.idempotent || tool.http.method === 'GET') return '; it may be tried again';
  return '; it is not known whether it was carried out, do not try again';
}

/** Read at each call, so that a changed Secret counts at once; undefined when it cannot be used. */
async function secretHeadersOf(tool: HttpTool): Promise<Record<string, string> | undefined> {
  if (tool.http.headersFile === undefined) return {};
  try {
    const value: unknown = JSON.parse(await readFile(tool.http.headersFile, 'utf8'));
    const headers = isRecord(value) ? Object.entries(value) : [];
    const texts = headers.filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    return isRecord(value) && texts.length === headers.length
      ? Object.fromEntries(texts)
      : undefined;
  } catch {
    return undefined;
  }
}

interface Transport {
  readonly refuses: (address: string) => boolean;
  readonly signal: AbortSignal;
}

async function follow(first: ToolRequest, transport: Transport): Promise<ToolAnswer> {
  let request = first;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await send(request, transport);
    const status = response.statusCode ?? 0;
    if (!isRedirect(status)) return answerOf(status, await bodyOf(response));
    response.destroy();
    const next = redirectOf(request, status, response.headers.location);
    if (typeof next === 'string') return failure(next);
    request = next;
  }
  return failure('too many redirects');
}

function send(request: ToolRequest, transport: Transport): Promise<IncomingMessage> {
  const { url, method, headers, body } = request;
  const { refuses, signal } = transport;
  // An address in the URL is connected to without a look-up.
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0 && refuses(literal)) return Promise.reject(new ForbiddenAddress());
  return new Promise((fulfil, reject) => {
    const make = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const options = { method, headers, signal, agent: false, lookup: checkedLookup(refuses) };
    const outgoing = make(url, options, fulfil);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Connects to exactly the addresses that were checked, so that no second look-up can slip in another. */
function checkedLookup(refuses: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) {
        callback(error ?? new Error('no address'), '', 0);
      } else if (addresses.some(({ address }) => refuses(address))) {
        callback(new ForbiddenAddress(), '', 0);
      } else if (options.all) {
        callback(null, addresses);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}

class ForbiddenAddress extends Error {}

interface Body {
  readonly text: string;
  readonly isCut: boolean;
}

async function bodyOf(response: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop destroys the response.
    if (size > maxBodyBytes) break;
  }
  const text = Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8');
  return { text, isCut: size > maxBodyBytes };
}

function answerOf(status: number, body: Body): ToolAnswer {
  const text = body.isCut ? `${body.text}\n(the rest was cut off)` : body.text;
  if (status >= 200 && status < 300) {
    return { outcome: 'ok', text: text === '' ? JSON.stringify({ status }) : text };
  }
  return {
    outcome: 'failed',
    text: JSON.stringify({ error: `HTTP ${status}`, ...(text === '' ? {} : { body: text }) }),
  };
}
