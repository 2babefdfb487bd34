import type { WatchEvent } from './client.ts';
import type { KubeObject } from './object.ts';

/**
 * Where JSON becomes typed objects. The API server validated them against the schema that their type was
 * made from, so only the shape around them is looked at.
 */
// The type parameter is the whole purpose: it names what the shape is taken for.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function isObjectOf<T extends KubeObject>(value: unknown): value is T {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list of a kind; of an empty one, Go makes null. */
export interface WireList<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: readonly T[] | null;
}

export function isListOf<T extends KubeObject>(value: unknown): value is WireList<T> {
  return (
    isObjectOf(value) && 'items' in value && (value.items === null || Array.isArray(value.items))
  );
}

export function isWatchEventOf<T extends KubeObject>(value: unknown): value is WatchEvent<T> {
  return (
    isObjectOf(value) &&
    'type' in value &&
    typeof value.type === 'string' &&
    'object' in value &&
    isObjectOf(value.object)
  );
}
