/** How a call ended; both from closed sets, fit for metric labels. */
export interface Termination {
  readonly result: 'completed' | 'rejected' | 'cancelled' | 'failed' | 'transferred';
  readonly reason:
    | 'caller-hung-up'
    | 'agent-hung-up'
    | 'api-hung-up'
    | 'transferred'
    | 'caller-cancelled'
    /** Of a call of ours: the other side said no, or nobody answered. */
    | 'callee-refused'
    | 'no-answer'
    | 'max-duration'
    | 'no-input'
    | 'no-media'
    | 'session-expired'
    | 'provider-failed'
    | 'media-not-acceptable'
    /** The INVITE asks for an extension that nobody has here, or lacks what every call needs. */
    | 'unsupported'
    | 'no-ack'
    | 'capacity'
    /** All agents are disabled. */
    | 'no-agent'
    | 'draining'
    | 'forbidden'
    | 'internal-error';
}
