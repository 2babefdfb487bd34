import { z } from 'zod';

/** Validation issues as people need them: where, why, and the key that was probably meant. */

export type Path = readonly (string | number)[];

export interface ConfigProblem {
  readonly path: Path;
  readonly reason: string;
  /** What is at `path` means nothing here; the rest can be judged without it. */
  readonly isUnknown?: true;
}

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

/** All problems of a value that `schema` refused. */
export function problemsOf(
  schema: Schema,
  value: unknown,
  issues: readonly Issue[],
): ConfigProblem[] {
  return issues.flatMap((issue) => problemsOfIssue({ schema, value, base: [] }, issue));
}

interface Place {
  readonly schema: Schema;
  readonly value: unknown;
  readonly base: Path;
}

function problemsOfIssue(place: Place, issue: Issue): ConfigProblem[] {
  const path = [...place.base, ...pathOf(issue)];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: [...path, key],
      reason: unknownKey(place, path, key),
      isUnknown: true,
    }));
  if (issue.code === 'invalid_union' && issue.errors.length > 0)
    return problemsOfUnion({ ...place, base: path }, issue.errors);
  return [{ path, reason: reasonOf(issue, valueAt(place.value, path)) }];
}

/**
 * A union's problems are those of the alternative that was meant: the one whose own keys are there.
 * Where none is, the problem is the choice itself.
 */
function problemsOfUnion(place: Place, errors: readonly Issue[][]): ConfigProblem[] {
  const alternatives = errors.map((issues) => issues.flatMap((issue) => oneKeyEach(issue)));
  const shared = (alternatives[0] ?? []).filter((issue) => isShared(issue, alternatives));
  const own = alternatives.map((issues) =>
    issues.filter((issue) => !isShared(issue, alternatives)),
  );
  return [
    ...shared.flatMap((issue) => problemsOfIssue(place, issue)),
    ...problemsOfChoice(place, own),
  ];
}

function problemsOfChoice(place: Place, alternatives: readonly Issue[][]): ConfigProblem[] {
  const meant = alternatives.find((issues) => !issues.some(concernsChoice));
  if (meant !== undefined) return meant.flatMap((issue) => problemsOfIssue(place, issue));
  const choices = [...new Set(alternatives.flatMap((issues) => choiceKeys(issues)))];
  return [{ path: place.base, reason: `needs exactly one of ${choices.join(', ')}` }];
}

function oneKeyEach(issue: Issue): Issue[] {
  if (issue.code !== 'unrecognized_keys') return [issue];
  return issue.keys.map((key) => ({ ...issue, keys: [key], message: key }));
}

/** True for what is wrong whichever alternative was meant, as a missing name or a key none knows. */
function isShared(issue: Issue, alternatives: readonly Issue[][]): boolean {
  const text = JSON.stringify([issue.path, issue.message]);
  return alternatives.every((issues) =>
    issues.some((other) => JSON.stringify([other.path, other.message]) === text),
  );
}

/** True when the issue says that another alternative was written. */
function concernsChoice(issue: Issue): boolean {
  return issue.path.length === 0 || (issue.code === 'invalid_type' && isMissingKey(issue));
}

function isMissingKey(issue: Issue): boolean {
  return issue.path.length === 1 && issue.message.endsWith('received undefined');
}

/** The keys that tell the alternatives apart: one is missing, or one too many is there. */
function choiceKeys(issues: readonly Issue[]): string[] {
  return issues.filter(concernsChoice).flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys;
    return isMissingKey(issue) ? [String(issue.path[0])] : [];
  });
}

function unknownKey(place: Place, path: Path, key: string): string {
  const keys = keysAt(place.schema, path);
  // An alternative's key, beside that of another.
  if (keys.includes(key)) return 'cannot stand beside the other keys here';
  const nearest = nearestKey(key, keys);
  return nearest === undefined ? 'unknown key' : `unknown key; did you mean ${nearest}?`;
}

function pathOf(issue: Issue): (string | number)[] {
  return issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
}

function reasonOf(issue: Issue, value: unknown): string {
  const text = issue.message.replace(/^Invalid input: /, '');
  if (issue.code === 'invalid_type' && value === undefined)
    return `required: ${text.replace(/, received undefined$/, '')}`;
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** A copy of `value` without what is unknown in it. */
export function withoutUnknown(value: unknown, problems: readonly ConfigProblem[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const { path } of problems.filter(({ isUnknown }) => isUnknown)) {
    const parent = valueAt(copy, path.slice(0, -1));
    if (isKeyed(parent)) Reflect.deleteProperty(parent, path.at(-1) ?? '');
  }
  return copy;
}

/** The value a path leads to, `undefined` where there is none. */
function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (isKeyed(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    value,
  );
}

function isKeyed(value: unknown): value is Readonly<Record<string | number, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** The keys a schema allows at `path`. */
function keysAt(schema: Schema, path: Path): string[] {
  const reached = path.reduce<Schema[]>(
    (schemas, key) => schemas.flatMap((inner) => descend(inner, key)),
    alternativesOf(schema),
  );
  return reached.flatMap((inner) =>
    inner instanceof z.ZodObject ? Object.keys(inner.shape as object) : [],
  );
}

/** A schema without defaults and the like around it; all alternatives of a union. */
function alternativesOf(schema: Schema): Schema[] {
  if (
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodOptional
  )
    return alternativesOf(schema.unwrap());
  if (schema instanceof z.ZodUnion)
    return (schema.options as readonly Schema[]).flatMap((option) => alternativesOf(option));
  return [schema];
}

function descend(schema: Schema, key: string | number): Schema[] {
  if (schema instanceof z.ZodArray) return alternativesOf(schema.element);
  if (schema instanceof z.ZodRecord) return alternativesOf(schema.valueType);
  if (!(schema instanceof z.ZodObject)) return [];
  const inner = (schema.shape as Record<string, Schema>)[key];
  return inner === undefined ? [] : alternativesOf(inner);
}

/** The closest of `keys` to a misspelt one, if it is close at all. */
export function nearestKey(key: string, keys: readonly string[]): string | undefined {
  const wanted = key.toLowerCase().replaceAll(/[-_]/g, '');
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const ranked = [...new Set(keys)]
    .map((name) => ({ name, distance: editDistance(wanted, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((a, b) => a.distance - b.distance);
  return ranked[0]?.name;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [line, letter] of a.split('').entries()) {
    const next = [line + 1];
    for (const [column, other] of b.split('').entries())
      next.push(
        Math.min(
          (row[column] ?? 0) + (letter === other ? 0 : 1),
          (row[column + 1] ?? 0) + 1,
          (next[column] ?? 0) + 1,
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
