import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { bearerGate, type Gate } from './bearer.ts';
import type { CallsApi } from './calls-api.ts';
import { callsRoutes } from './calls-routes.ts';
import { type PodApi, podRoutes } from './pod-routes.ts';
import { problemOf, sendProblem } from './problem.ts';

/** May a new call come here? `reason` is for people. */
export type Readiness =
  | { readonly state: 'ready' }
  | { readonly state: 'full' | 'starting' | 'draining'; readonly reason: string };

const readinessStatus = { ready: 200, full: 429, starting: 503, draining: 503 } as const;

export interface HttpOptions {
  /** Bearer token of /v1, asked for at each request; without it /v1 answers 403. */
  readonly token: () => string | undefined;
  readonly calls: CallsApi;
  readonly pod: PodApi;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  readonly readiness: () => Readiness;
  readonly log: Log;
}

const bodyLimitBytes = 16_384;
const requestTimeout = 10_000;

/** The HTTP side, not yet listening: health, metrics, calls. `close()` ends its connections. */
export function createHttpServer(options: HttpOptions): FastifyInstance {
  const server = fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout,
    connectionTimeout: requestTimeout,
    forceCloseConnections: true,
    // Unknown members and wrong types are the client's mistake, to be told and not to be mended.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  });
  server.setErrorHandler((error, _, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500)
      options.log.error({ status: problem.status, pii: messageOf(error) }, 'HTTP request failed');
    return sendProblem(reply, problem);
  });
  server.setNotFoundHandler((_, reply) =>
    sendProblem(reply, { status: 404, detail: 'there is nothing at this path' }),
  );
  // That it answers is the proof: the event loop turns.
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', (_, reply) => {
    const readiness = options.readiness();
    return reply.code(readinessStatus[readiness.state]).send(readiness);
  });
  server.get('/metrics', async (_, reply) =>
    reply.type(options.metrics.contentType).send(await options.metrics.text()),
  );
  server.register(apiRoutes(options));
  return server;
}

/** `/v1`, for those who know the token. */
function apiRoutes({ token, calls, pod }: HttpOptions) {
  const gate = bearerGate(token);
  return async (server: FastifyInstance): Promise<void> => {
    // Before the body is read: strangers cost nothing.
    server.addHook('onRequest', async (request, reply) => refuse(gate, request, reply));
    await server.register(callsRoutes(calls));
    await server.register(podRoutes(pod));
  };
}

async function refuse(gate: Gate, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const refused = gate(request.headers.authorization);
  if (refused === undefined) return undefined;
  if (refused.status === 401) void reply.header('www-authenticate', 'Bearer');
  return sendProblem(reply, refused);
}
