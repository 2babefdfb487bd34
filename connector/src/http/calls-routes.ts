import type { FastifyInstance } from 'fastify';
import type { CallsApi, DigitsObstacle, PlaceRequest } from './calls-api.ts';
import { sendProblem } from './problem.ts';

const uri = { type: 'string', maxLength: 512, pattern: String.raw`^(sips?|tel):\S+$` };

const placeBody = {
  type: 'object',
  required: ['to'],
  additionalProperties: false,
  properties: { to: uri, from: uri },
};

const digitsBody = {
  type: 'object',
  required: ['digits'],
  additionalProperties: false,
  properties: { digits: { type: 'string', pattern: '^[0-9*#A-D]{1,64}$' } },
};

const obstacles: Readonly<Record<DigitsObstacle, string>> = {
  held: 'the call is on hold',
  'not-answered': 'the call is not answered',
  'too-many': 'too many keys are waiting to be pressed',
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

    server.post<{ Params: { id: string }; Body: { digits: string } }>(
      '/v1/calls/:id/dtmf',
      { schema: { body: digitsBody } },
      (request, reply) => {
        const outcome = calls.sendDigits(request.params.id, request.body.digits);
        if (outcome === 'accepted') return reply.code(202).send();
        if (outcome === 'gone') return sendProblem(reply, noSuchCall);
        return sendProblem(reply, { status: 409, detail: obstacles[outcome] });
      },
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
