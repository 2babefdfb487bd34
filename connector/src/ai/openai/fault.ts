import { ConnectorError } from '../../base/errors.ts';
import type { ServerError } from './server-event.ts';

/** What an error event of the server means for the session. */
export type Verdict =
  /** Nothing: the outcome of a race that costs nothing. */
  | { readonly type: 'harmless' }
  /** The session goes on without what was asked. */
  | { readonly type: 'fault' }
  /** The session is of no use any more. */
  | { readonly type: 'lost'; readonly retryable: boolean };

const harmless: Verdict = { type: 'harmless' };
const passing: Verdict = { type: 'lost', retryable: true };
const final: Verdict = { type: 'lost', retryable: false };

/** By code, or by type where an error has no code. What is not here is a fault: most errors are survived. */
const verdicts: Readonly<Record<string, Verdict>> = {
  // We cancelled what had just ended by itself.
  response_cancel_not_active: harmless,
  input_audio_buffer_commit_empty: harmless,
  session_expired: passing,
  insufficient_quota: final,
  invalid_api_key: final,
  authentication_error: final,
  permission_error: final,
  model_not_found: final,
};

export function verdictOf({ code }: Pick<ServerError, 'code'>): Verdict {
  return Object.hasOwn(verdicts, code) ? (verdicts[code] ?? { type: 'fault' }) : { type: 'fault' };
}

/** The error of a session that the server does not configure. Nothing of a caller was sent yet. */
export function openingError({ code, message }: ServerError): ConnectorError {
  const verdict = verdictOf({ code });
  if (verdict.type === 'lost' && !verdict.retryable)
    return new ConnectorError('PROVIDER_REFUSED', describe(code));
  return passingCodes.has(code)
    ? new ConnectorError('PROVIDER_UNAVAILABLE', describe(code))
    : new ConnectorError('PROVIDER_REFUSED', `${describe(code)}: ${message.slice(0, 200)}`);
}

const passingCodes: ReadonlySet<string> = new Set([
  'rate_limit_exceeded',
  'server_error',
  'session_expired',
]);

/** A close frame of the server after the session was open. */
export function closeVerdict(closeCode: number): { code: string; retryable: boolean } {
  // 1008 is a breach of policy; 3000 is how OpenAI refuses a key or model after the upgrade.
  return { code: `closed_${closeCode}`, retryable: closeCode !== 1008 && closeCode !== 3000 };
}

/** Text for logs and people that repeats nothing the server quoted. */
export function describe(code: string): string {
  return `the server reported ${/^[a-z0-9_]{1,64}$/i.test(code) ? code : 'an error'}`;
}
