/**
 * Whether an allow-list lets a URI be called. A pattern is a URI in which `*` stands for any run of
 * characters but `@`, `;` and `?`, so that a pattern for a host cannot be met by a parameter. URI
 * parameters and headers are cut off first; case is ignored. An empty list allows nothing.
 */
export function isAllowed(uri: string, patterns: readonly string[]): boolean {
  const bare = uri.split(/[;?]/)[0] ?? '';
  return patterns.some((pattern) => patternOf(pattern).test(bare));
}

function patternOf(pattern: string): RegExp {
  const source = pattern
    .split('*')
    .map((text) => text.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('[^@;?]*');
  return new RegExp(`^${source}$`, 'i');
}
