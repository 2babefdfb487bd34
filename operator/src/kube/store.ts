import { type KubeObject, keyOf, type ObjectKey } from './object.ts';

/** What happened to one object: created without `before`, gone without `after`. */
export interface Change<T> {
  readonly key: ObjectKey;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** The values by which an object is found; more than one where it refers to several. */
export type IndexOf<T> = (object: T) => readonly string[];

/** Objects by key and by indexes. */
export class Store<T extends KubeObject, Index extends string> {
  readonly #objects = new Map<ObjectKey, T>();
  readonly #indexes: readonly (readonly [Index, IndexOf<T>])[];
  /** Index, then value, then keys. */
  readonly #keys = new Map<Index, Map<string, Set<ObjectKey>>>();

  constructor(indexes: Readonly<Partial<Record<Index, IndexOf<T>>>> | undefined) {
    this.#indexes = entriesOf(indexes);
    for (const [name] of this.#indexes) this.#keys.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  by(index: Index, value: string): readonly T[] {
    const keys = this.#keys.get(index)?.get(value) ?? [];
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  put(object: T): Change<T> {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    if (before) this.#unindex(key, before);
    this.#objects.set(key, object);
    this.#index(key, object);
    return { key, before, after: object };
  }

  /** Undefined where it was not there. */
  remove(key: ObjectKey): Change<T> | undefined {
    const before = this.#objects.get(key);
    if (!before) return undefined;
    this.#unindex(key, before);
    this.#objects.delete(key);
    return { key, before, after: undefined };
  }

  /** Becomes this collection; returns what differs, the vanished included. */
  replace(objects: readonly T[]): readonly Change<T>[] {
    const changes: Change<T>[] = [];
    const kept = new Set(objects.map(keyOf));
    for (const key of this.#objects.keys()) {
      const change = kept.has(key) ? undefined : this.remove(key);
      if (change) changes.push(change);
    }
    for (const object of objects) {
      const known = this.#objects.get(keyOf(object))?.metadata;
      const isSame =
        known?.resourceVersion !== undefined &&
        known.uid === object.metadata?.uid &&
        known.resourceVersion === object.metadata?.resourceVersion;
      if (!isSame) changes.push(this.put(object));
    }
    return changes;
  }

  #index(key: ObjectKey, object: T): void {
    for (const [name, valuesOf] of this.#indexes)
      for (const value of valuesOf(object)) {
        const byValue = this.#keys.get(name);
        const keys = byValue?.get(value);
        if (keys) keys.add(key);
        else byValue?.set(value, new Set([key]));
      }
  }

  #unindex(key: ObjectKey, object: T): void {
    for (const [name, valuesOf] of this.#indexes)
      for (const value of valuesOf(object)) {
        const byValue = this.#keys.get(name);
        const keys = byValue?.get(value);
        keys?.delete(key);
        if (keys?.size === 0) byValue?.delete(value);
      }
  }
}

function entriesOf<Index extends string, T>(
  indexes: Readonly<Partial<Record<Index, IndexOf<T>>>> | undefined,
): readonly (readonly [Index, IndexOf<T>])[] {
  const found: (readonly [Index, IndexOf<T>])[] = [];
  for (const name in indexes) {
    const valuesOf = indexes[name];
    if (valuesOf) found.push([name, valuesOf]);
  }
  return found;
}
