/**
 * The subject alternative names of a certificate, from Node's text of them (`DNS:a.test, URI:sip:a.test`),
 * in lower case. Node puts in quotes what could be mistaken for two names: those count for nothing.
 */
export function alternativeNamesOf(text: string | undefined): readonly string[] {
  const found = (text ?? '').matchAll(/([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/gy);
  return [...found].flatMap(([, kind = '', value = '']) => {
    if (value.startsWith('"') || !kinds.has(kind)) return [];
    const isWanted = kind !== 'URI' || /^sip:[^@]+$/i.test(value);
    return isWanted ? [value.toLowerCase()] : [];
  });
}

const kinds: ReadonlySet<string> = new Set(['DNS', 'IP Address', 'URI']);
