import type { Termination } from '../contract/termination.ts';

/** What the HTTP API needs of the call handling. */
export interface CallsApi {
  list(): readonly CallSummary[];
  /** Undefined when there is no such call (any more). */
  find(id: string): CallDetail | undefined;
  /** Ends a call; false when there is none. */
  hangUp(id: string): boolean;
  /** Begins to press keys (0-9 * # A-D) towards the peer; `gone`: there is no such call. */
  sendDigits(id: string, digits: string): 'accepted' | 'gone' | DigitsObstacle;
  /**
   * Starts a call and returns at once. Rejects with a ConnectorError: DESTINATION_FORBIDDEN when the
   * allow-list lacks `to`, DRAINING, RTP_PORTS_EXHAUSTED, PROVIDER_*.
   */
  place(request: PlaceRequest): Promise<{ readonly id: string }>;
}

export interface PlaceRequest {
  /** SIP or tel URI. */
  readonly to: string;
  readonly from?: string;
}

export type DigitsObstacle = 'held' | 'not-answered' | 'too-many';

/** One direction of a call as it sounds (ITU-T G.107). */
interface Quality {
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly rFactor: number;
  readonly mos: number;
}

/** Fit for lists: nothing personal in it. */
interface CallSummary {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly state: 'ringing' | 'talking' | 'held' | 'transferring' | 'ended';
  /** ISO 8601, as are all times here. */
  readonly startedAt: string;
  readonly answeredAt?: string;
  /** Once the call is up; `sent` when the peer has reported. */
  readonly quality?: { readonly received: Quality; readonly sent: Quality | undefined };
}

export interface CallDetail extends CallSummary {
  readonly from: string;
  readonly to: string;
  readonly endedAt?: string;
  readonly termination?: Termination;
  /** ms, by what was measured: `setup`, `firstAudio`, `bargeInStop` … */
  readonly timings: Readonly<Record<string, number>>;
  readonly transcript: readonly {
    readonly role: 'caller' | 'agent' | 'tool';
    readonly text: string;
    readonly at: string;
  }[];
}
