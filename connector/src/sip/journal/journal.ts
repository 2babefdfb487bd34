/**
 * What must outlive the process: the last value of each key. Writing never throws; what is read is
 * what an earlier process put and did not remove.
 */
export interface Journal {
  /** Keys and values of the earlier process, in the order in which the keys were first put. */
  readonly found: ReadonlyMap<string, unknown>;
  /** `value` is plain data (JSON). */
  put(key: string, value: unknown): void;
  remove(key: string): void;
}

/** For a server whose calls end with its process. */
export const noJournal: Journal = {
  found: new Map(),
  put: () => undefined,
  remove: () => undefined,
};
