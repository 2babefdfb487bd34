import type { Address } from '../sdp/description.ts';

/**
 * Symmetric RTP with a narrow door, as pure steps. We send to the address of the SDP at once. Another
 * source (a peer behind NAT) is taken only within a window after a negotiation, when it has sent some
 * packets in a row; after that a stranger can neither inject audio nor draw ours to himself. The
 * SDP's own address is always right and ends the learning.
 *
 *            opened                    packet of SDP address or of the latched source
 *   (any) ───────────▶ learning ─────────────────────────────────────▶ strict
 *                         │   3 in a row from one other source: latched     ▲
 *                         └──────────────────────────────────────────────────┘
 *                              the window ends: strict, with what is known
 */

export interface LatchState {
  /** The SDP's address; undefined before one is known. */
  readonly announced: Address | undefined;
  /** Where we send. */
  readonly target: Address | undefined;
  /** Whose audio we take besides that of `announced`: the latched source, or the one before a re-offer. */
  readonly source: Address | undefined;
  /** Time until which others may be learnt; undefined when strict. */
  readonly learningUntil: number | undefined;
  readonly candidates: readonly Candidate[];
}

interface Candidate {
  readonly address: Address;
  readonly ssrc: number;
  readonly sequence: number;
  readonly count: number;
}

/** A packet that has an RTP header and a payload type that was agreed. */
export interface SourcePacket {
  readonly address: string;
  readonly port: number;
  readonly ssrc: number;
  readonly sequence: number;
}

export type Verdict = 'accepted' | 'learning' | 'stranger';

const learningTime = 10_000;
const packetsToLatch = 3;
// More than one, so that a flood from elsewhere cannot keep the right source from being learnt.
const maxCandidates = 4;

export const closedLatch: LatchState = {
  announced: undefined,
  target: undefined,
  source: undefined,
  learningUntil: undefined,
  candidates: [],
};

/** An offer or answer was accepted. With the same address as before the latched source stays. */
export function openLatch(
  state: LatchState,
  announced: Address | undefined,
  now: number,
): LatchState {
  // A hold by 0.0.0.0 says nothing about where the peer is.
  if (!announced) return state;
  const isSame = state.announced !== undefined && equal(state.announced, announced);
  return {
    announced,
    target: isSame ? state.target : announced,
    source: state.source,
    learningUntil: now + learningTime,
    candidates: [],
  };
}

/** The same state object comes back when nothing changed. */
export function latchPacket(
  state: LatchState,
  packet: SourcePacket,
  now: number,
): readonly [LatchState, Verdict] {
  if (state.announced && equal(state.announced, packet)) return [settle(state, packet), 'accepted'];
  if (state.source && equal(state.source, packet)) {
    // Packets of the address before a re-offer are still good, but prove nothing about the new one.
    const isLatched = state.target !== undefined && equal(state.target, packet);
    return [isLatched ? settle(state, packet) : state, 'accepted'];
  }
  if (state.learningUntil === undefined || now > state.learningUntil) return [state, 'stranger'];
  return learn(state, packet);
}

/** From now on this source is the peer. */
function settle(state: LatchState, { address, port }: SourcePacket): LatchState {
  const isSettled =
    state.learningUntil === undefined &&
    state.source?.port === port &&
    state.source.address === address;
  if (isSettled) return state;
  const source = { address, port };
  return { ...state, target: source, source, learningUntil: undefined, candidates: [] };
}

function learn(state: LatchState, packet: SourcePacket): readonly [LatchState, Verdict] {
  const { ssrc, sequence } = packet;
  const known = state.candidates.find((candidate) => equal(candidate.address, packet));
  const isNext = known?.ssrc === ssrc && ((known.sequence + 1) & 0xffff) === sequence;
  const count = known && isNext ? known.count + 1 : 1;
  if (count >= packetsToLatch) return [settle(state, packet), 'accepted'];
  const address = { address: packet.address, port: packet.port };
  const candidates = [
    ...state.candidates.filter((candidate) => candidate !== known),
    { address, ssrc, sequence, count },
  ].slice(-maxCandidates);
  return [{ ...state, candidates }, 'learning'];
}

function equal(a: Address, b: Address): boolean {
  return a.port === b.port && a.address === b.address;
}
