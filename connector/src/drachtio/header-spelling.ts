import { canonicalName } from '../sip/message/headers.ts';

/** Spellings that capitals at word starts do not yield (IANA SIP parameters registry). */
const special: ReadonlyMap<string, string> = new Map(
  [
    'Call-ID',
    'CSeq',
    'Min-SE',
    'MIME-Version',
    'RAck',
    'RSeq',
    'SIP-ETag',
    'SIP-If-Match',
    'WWW-Authenticate',
  ].map((name) => [name.toLowerCase(), name]),
);

/**
 * A header name as peers like to see it, for applications write lower case: `foo-bar` becomes
 * `Foo-Bar`, compact forms long, capitals stay. Names that begin `X-` are left alone.
 */
export function spellHeader(name: string): string {
  if (/^x-/i.test(name)) return name;
  const canonical = canonicalName(name);
  const isLong = canonical === name.toLowerCase();
  return special.get(canonical) ?? capitaliseWords(isLong ? name : canonical);
}

function capitaliseWords(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
