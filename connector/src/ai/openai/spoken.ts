/** What the agent said on this connection: how much audio came of each item, and what of it was cut. */

export interface SpokenItem {
  readonly item: string;
  readonly contentIndex: number;
  /** ms received. */
  readonly duration: number;
  /** ms that the server was told to keep. */
  readonly kept?: number;
}

/** In the order in which they were spoken. */
export type Spoken = readonly SpokenItem[];

// Items older than these can no longer be in anybody's playout.
const remembered = 16;

export interface Piece {
  readonly item: string;
  readonly contentIndex: number;
  readonly duration: number;
}

export function addAudio(spoken: Spoken, { item, contentIndex, duration }: Piece): Spoken {
  const last = spoken.at(-1);
  if (last?.item === item)
    return [...spoken.slice(0, -1), { ...last, duration: last.duration + duration }];
  const known = spoken.find((one) => one.item === item);
  if (known === undefined) return [...spoken, { item, contentIndex, duration }].slice(-remembered);
  return spoken.map((one) => (one === known ? { ...one, duration: one.duration + duration } : one));
}

export interface Cut {
  readonly item: string;
  readonly contentIndex: number;
  readonly audioEnd: number;
}

/**
 * What to cut when the caller heard `milliseconds` of `item`: the item there, what was to follow
 * entirely. Never beyond what was received, which the server refuses; nothing for an item of another
 * connection, one heard to its end or one that was cut already.
 */
export function cutAfter(
  spoken: Spoken,
  heard: { readonly item: string; readonly milliseconds: number },
): { readonly spoken: Spoken; readonly cuts: readonly Cut[] } {
  const at = spoken.findIndex((one) => one.item === heard.item);
  if (at < 0) return { spoken, cuts: [] };
  const cuts = spoken.slice(at).flatMap((one, offset): Cut[] => {
    const length = Math.floor(one.duration);
    const wanted = offset === 0 ? Math.max(0, Math.floor(heard.milliseconds)) : 0;
    const limit = one.kept ?? length;
    return wanted < limit
      ? [{ item: one.item, contentIndex: one.contentIndex, audioEnd: wanted }]
      : [];
  });
  return { spoken: spoken.map((one) => keep(one, cuts)), cuts };
}

function keep(one: SpokenItem, cuts: readonly Cut[]): SpokenItem {
  const cut = cuts.find(({ item }) => item === one.item);
  return cut === undefined ? one : { ...one, kept: cut.audioEnd };
}
