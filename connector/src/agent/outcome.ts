import { ConnectorError, type ErrorCode } from '../base/errors.ts';
import type { LegEnd } from '../calls/leg.ts';
import type { Termination } from '../contract/termination.ts';
import { refusal } from './admission.ts';

/** How things of SIP, media and providers end a call. */

export const terminationOf: Readonly<Record<LegEnd, Termination>> = {
  'remote-hung-up': { result: 'completed', reason: 'caller-hung-up' },
  transferred: { result: 'transferred', reason: 'transferred' },
  'no-ack': { result: 'failed', reason: 'no-ack' },
  'session-expired': { result: 'failed', reason: 'session-expired' },
  'media-not-acceptable': { result: 'failed', reason: 'media-not-acceptable' },
  'signalling-lost': { result: 'failed', reason: 'internal-error' },
};

export interface Failure {
  readonly termination: Termination;
  /** For the caller, where the call is not answered yet. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const endOf = {
  CONFIG_INVALID: { result: 'failed', reason: 'internal-error' },
  SDP_INVALID: { result: 'rejected', reason: 'media-not-acceptable' },
  SDP_UNSUPPORTED_TYPE: { result: 'rejected', reason: 'media-not-acceptable' },
  MEDIA_NOT_ACCEPTABLE: { result: 'rejected', reason: 'media-not-acceptable' },
  RTP_PORTS_EXHAUSTED: refusal('capacity').termination,
  PROVIDER_UNAVAILABLE: { result: 'failed', reason: 'provider-failed' },
  PROVIDER_REFUSED: { result: 'failed', reason: 'provider-failed' },
  PROVIDER_CLOSED: { result: 'failed', reason: 'provider-failed' },
  PROVIDER_TIMEOUT: { result: 'failed', reason: 'provider-failed' },
  DESTINATION_FORBIDDEN: { result: 'rejected', reason: 'forbidden' },
  CALL_GONE: { result: 'cancelled', reason: 'caller-cancelled' },
  DRAINING: refusal('draining').termination,
} as const satisfies Record<ErrorCode, Termination>;

/** The end of a call that could not be set up. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof ConnectorError)) {
    return { termination: { result: 'failed', reason: 'internal-error' }, status: 500 };
  }
  if (error.code === 'RTP_PORTS_EXHAUSTED') return refusal('capacity');
  if (error.code === 'DRAINING') return refusal('draining');
  return { termination: endOf[error.code], status: error.sipStatus };
}

/** ITU-T Q.850 causes of a BYE of ours; where there is none, an ordinary end needs no explanation. */
const causes: Partial<Record<Termination['reason'], number>> = {
  'no-media': 102,
  'provider-failed': 41,
  'internal-error': 41,
  draining: 41,
};

/** Reason header (RFC 3326) for a BYE. */
export function reasonHeader({ reason }: Termination): Readonly<Record<string, string>> {
  const cause = causes[reason];
  return cause === undefined ? {} : { Reason: `Q.850;cause=${cause};text="${reason}"` };
}
