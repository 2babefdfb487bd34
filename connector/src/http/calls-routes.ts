import type { FastifyInstance } from 'fastify';
import type { CallsApi, PlaceRequest } from './calls-api.ts';
import { sendProblem } from './problem.ts';

const uri = { type: 'string', maxLength: 512, pattern: String.raw`^(sips?|tel):\S+$` };

const placeBody = {
  type: 'object',
  required: ['to'],
  additionalProperties: false,
  properties: { to: uri, from: uri },
};

const noSuchCall = { status: 404, detail: 'there is no such call', code: 'CALL_GONE' } as const;

/** `/v1/calls`. */
export function callsRoutes(calls: CallsApi) {
  return async (server: FastifyInstance): Promise<void> => {
    server.get('/v1/calls', () => ({ calls: calls.list() }));

    server.get<{ Params: { id: string } }>('/v1/calls/:id', (request, reply) => {
      const call = calls.find(request.params.id);
      return call ?? sendProblem(reply, noSuchCall);
    });

    server.delete<{ Params: { id: string } }>('/v1/calls/:id', (request, reply) =>
      calls.hangUp(request.params.id) ? reply.code(204).send() : sendProblem(reply, noSuchCall),
    );

    server.post<{ Body: PlaceRequest }>(
      '/v1/calls',
      { schema: { body: placeBody } },
      async (request, reply) => {
        const { id } = await calls.place(request.body);
        return reply
          .code(202)
          .header('location', `/v1/calls/${encodeURIComponent(id)}`)
          .send({ id });
      },
    );
  };
}
