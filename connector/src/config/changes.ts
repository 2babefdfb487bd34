import { isDeepStrictEqual } from 'node:util';

/** Settings that sockets and threads were made from: a change counts at the next start. */
export const fixedSettings = [
  'sip.listen',
  'sip.tls',
  'sip.peers',
  'sip.auth.realm',
  'sip.auth.algorithms',
  'sip.sessionExpiresSeconds',
  'rtp',
  'http.listen',
  'log.showPersonalData',
] as const;

/** Those of `paths` (`sip.listen`) whose values differ. */
export function changesOf(
  before: object,
  after: object,
  paths: readonly string[],
): readonly string[] {
  return paths.filter((path) => !isDeepStrictEqual(valueAt(before, path), valueAt(after, path)));
}

function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined,
      value,
    );
}
