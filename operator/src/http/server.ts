import { type FastifyInstance, fastify } from 'fastify';
import type { Registry } from 'prom-client';

/** What a probe answers with; `reasons` is for people. */
export interface Health {
  readonly isGood: boolean;
  readonly reasons: readonly string[];
}

export interface HttpOptions {
  /** Whether this process works; the API server's health has no part in it. */
  readonly live: () => Health;
  /** Whether it knows the cluster; who leads has no part in it. */
  readonly ready: () => Health;
  readonly registry: Registry;
}

/** Probes and metrics, not yet listening. */
export function createHttpServer({ live, ready, registry }: HttpOptions): FastifyInstance {
  const server = fastify({
    bodyLimit: 1024,
    requestTimeout: 10_000,
    connectionTimeout: 10_000,
    forceCloseConnections: true,
  });
  server.get('/healthz', (_, reply) => reply.code(live().isGood ? 200 : 503).send(live()));
  server.get('/readyz', (_, reply) => reply.code(ready().isGood ? 200 : 503).send(ready()));
  server.get('/metrics', async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  return server;
}
