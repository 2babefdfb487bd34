import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { ConnectorError, type ErrorCode } from '../base/errors.ts';

/** The body of an error (RFC 9457); `code` is a member of ours. */
export interface Problem {
  readonly status: number;
  readonly detail: string;
  readonly code?: string;
}

/** Answers with a problem body. */
export function sendProblem(reply: FastifyReply, { status, detail, code }: Problem): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: 'about:blank',
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail,
      ...(code === undefined ? {} : { code }),
    });
}

const statusOf: Record<ErrorCode, number> = {
  CONFIG_INVALID: 500,
  SDP_INVALID: 502,
  SDP_UNSUPPORTED_TYPE: 502,
  MEDIA_NOT_ACCEPTABLE: 502,
  RTP_PORTS_EXHAUSTED: 503,
  PROVIDER_UNAVAILABLE: 503,
  PROVIDER_REFUSED: 502,
  PROVIDER_CLOSED: 503,
  PROVIDER_TIMEOUT: 504,
  DESTINATION_FORBIDDEN: 403,
  CALL_GONE: 404,
  DRAINING: 503,
};

/** What the client is told of an error: ours by its code, its own mistakes by their text, the rest nothing. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ConnectorError)
    return { status: statusOf[error.code], detail: error.message, code: error.code };
  if (error instanceof Error && 'statusCode' in error) {
    const status = Number(error.statusCode);
    if (status >= 400 && status < 500) return { status, detail: error.message };
  }
  return { status: 500, detail: 'the request failed inside the connector' };
}
