/** RFC 3261 §25.1 `token`. */
const tokenPattern = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

export function isToken(text: string): boolean {
  return tokenPattern.test(text);
}

/** Without SP and HTAB at both ends; other Unicode white space is content. Linear, unlike a pattern. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Quoted string, text in angle brackets, a separator, or what stands between those. */
const piecePattern = /"(?:[^"\\]|\\[\s\S])*"|<[^>]*>|[,;]|[^"<,;]+/gy;

/**
 * Splits at a separator that stands outside of quoted strings and angle brackets; parts are trimmed.
 * Undefined when a quote or a bracket is left open.
 */
export function splitOutside(text: string, separator: ',' | ';'): string[] | undefined {
  const parts: string[] = [];
  let part = '';
  let length = 0;
  for (const [piece] of text.matchAll(piecePattern)) {
    length += piece.length;
    if (piece === separator) {
      parts.push(trimSpace(part));
      part = '';
    } else {
      part += piece;
    }
  }
  return length < text.length ? undefined : [...parts, trimSpace(part)];
}

/** Index behind the closing quote of the quoted string that starts at 0, or -1 when it is left open. */
export function endOfQuoted(text: string): number {
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}

/** The content of a quoted string, quoted pairs resolved; any other text as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\([\s\S])/g, '$1');
}

/** A quoted string; line breaks, which it cannot hold, become spaces. */
export function quote(text: string): string {
  return `"${text.replace(/[\r\n]+/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}

/** 1*DIGIT within a maximum; undefined for anything else. */
export function digitsOf(text: string, maximum: number): number | undefined {
  if (!/^\d{1,12}$/.test(text.replace(/^0+(?=\d)/, ''))) return undefined;
  const value = Number(text);
  return value <= maximum ? value : undefined;
}
