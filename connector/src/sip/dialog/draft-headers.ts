import { canonicalName } from '../message/headers.ts';

/** Headers that the server writes itself, whatever an application says (`drachtio-protocol.md` 4.8). */
const owned: ReadonlySet<string> = new Set([
  'via',
  'route',
  'record-route',
  'rseq',
  'rack',
  'content-length',
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
]);

/** True for headers that go from a draft into a message as they are. */
export function isForeign(name: string): boolean {
  return !owned.has(canonicalName(name));
}
