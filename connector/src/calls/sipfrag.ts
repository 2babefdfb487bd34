/** The status line at the head of a `message/sipfrag` body (RFC 3420). */
export interface Sipfrag {
  readonly status: number;
  readonly reason: string;
}

/** Undefined when the body does not begin with a status line. */
export function parseSipfrag(body: string): Sipfrag | undefined {
  const match = /^\s*SIP\/2\.0[ \t]+([1-6]\d\d)(?:[ \t]+([^\r\n]*))?(?:[\r\n]|$)/i.exec(body);
  if (!match) return undefined;
  return { status: Number(match[1]), reason: (match[2] ?? '').trim() };
}

/** State of a Subscription-State header, lower case: `active`, `pending`, `terminated` (RFC 6665 §8.2.3). */
export function subscriptionStateOf(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}
