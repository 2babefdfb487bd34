/** Arguments a model may write; more is a runaway. */
const maxArguments = 65_536;

export type Arguments = Readonly<Record<string, unknown>>;

/** The JSON object a model wrote as a tool's arguments (nothing at all counts as `{}`), or what is wrong. */
export function argumentsOf(text: string): Arguments | string {
  if (text.trim() === '') return {};
  if (text.length > maxArguments) return 'the arguments are too long';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'the arguments are not valid JSON';
  }
  return isRecord(value) ? value : 'the arguments must be a JSON object';
}

export function isRecord(value: unknown): value is Arguments {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same text for the same arguments, whatever the order of their names. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    isRecord(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
