import type { Clock } from '../../base/clock.ts';
import type { Dialog } from '../dialog/dialog.ts';
import type { Journal } from '../journal/journal.ts';
import { dialogKey, dialogRecord } from './dialog-record.ts';
import { type DialogOrigin, LiveDialog } from './live-dialog.ts';

/** The tags by which a message finds its dialog (§12). */
export interface DialogTags {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

/** All dialogs, by tags and by id. An id lives as long as any of its forks or its initial request. */
export class DialogStore {
  readonly #byTags = new Map<string, LiveDialog>();
  readonly #byId = new Map<string, LiveDialog[]>();
  /** Initial requests of ours that may yet make dialogs of that id. */
  readonly #pending = new Map<string, number>();
  readonly #onEnded: (id: string) => void;

  readonly #clock: Clock;
  readonly #journal: Journal;

  constructor(parts: { clock: Clock; journal: Journal; onEnded: (id: string) => void }) {
    this.#clock = parts.clock;
    this.#journal = parts.journal;
    this.#onEnded = parts.onEnded;
  }

  get size(): number {
    return this.#byTags.size;
  }

  /** Ids with nothing left in them are none. */
  get ids(): number {
    return new Set([...this.#byId.keys(), ...this.#pending.keys()]).size;
  }

  find(tags: DialogTags): LiveDialog | undefined {
    return this.#byTags.get(keyOf(tags));
  }

  /** The dialog that an application means: the confirmed one, else the latest early one. */
  current(id: string): LiveDialog | undefined {
    const forks = this.#byId.get(id) ?? [];
    return forks.find((fork) => fork.state.phase === 'confirmed') ?? forks.at(-1);
  }

  has(id: string): boolean {
    return this.#byId.has(id) || this.#pending.has(id);
  }

  forksOf(id: string): readonly LiveDialog[] {
    return [...(this.#byId.get(id) ?? [])];
  }

  all(): readonly LiveDialog[] {
    return [...this.#byTags.values()];
  }

  add(state: Dialog, origin: DialogOrigin = {}): LiveDialog {
    const key = dialogKey(state);
    const onChange = (changed: LiveDialog) =>
      this.#journal.put(key, dialogRecord(changed, this.#clock));
    const live = new LiveDialog(state, this.#clock, { ...origin, onChange });
    onChange(live);
    this.#byTags.set(keyOf(state), live);
    const forks = this.#byId.get(state.id);
    if (forks) forks.push(live);
    else this.#byId.set(state.id, [live]);
    return live;
  }

  end(live: LiveDialog): void {
    if (live.isEnded) return;
    live.end();
    live.unacknowledged?.drop();
    this.#journal.remove(dialogKey(live.state));
    if (this.#byTags.get(keyOf(live.state)) === live) this.#byTags.delete(keyOf(live.state));
    const forks = (this.#byId.get(live.id) ?? []).filter((fork) => fork !== live);
    if (forks.length > 0) this.#byId.set(live.id, forks);
    else this.#byId.delete(live.id);
    this.#check(live.id);
  }

  /** Keeps the id until the returned function is called. */
  retain(id: string): () => void {
    this.#pending.set(id, (this.#pending.get(id) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.#pending.get(id) ?? 1) - 1;
      if (left > 0) this.#pending.set(id, left);
      else this.#pending.delete(id);
      this.#check(id);
    };
  }

  close(): void {
    for (const live of this.#byTags.values()) live.end();
    this.#byTags.clear();
    this.#byId.clear();
    this.#pending.clear();
  }

  #check(id: string): void {
    if (!this.has(id)) this.#onEnded(id);
  }
}

function keyOf({ callId, localTag, remoteTag }: DialogTags): string {
  return `${callId} ${localTag} ${remoteTag}`;
}
