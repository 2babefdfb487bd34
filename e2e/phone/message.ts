/** SIP messages for the test phone: written from RFC 3261 alone, so that it can disagree with the connector. */

export interface SipMessage {
  /** `INVITE sip:… SIP/2.0` or `SIP/2.0 200 OK`. */
  readonly startLine: string;
  /** In order, names as they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Compact names (RFC 3261 §7.3.3, 3515, 3892, 4028). */
const longNames: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  k: 'supported',
  r: 'refer-to',
  b: 'referred-by',
  x: 'session-expires',
};

function canonical(name: string): string {
  const lower = name.toLowerCase();
  return longNames[lower] ?? lower;
}

/** Undefined for what is no SIP message (keep-alives, rubbish). */
export function parseMessage(datagram: Buffer): SipMessage | undefined {
  const text = datagram.toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [startLine = '', ...lines] = text
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  if (!/SIP\/2\.0/.test(startLine)) return undefined;
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
  });
  return { startLine, headers: fields, body: text.slice(end + 4) };
}

/** With the Content-Length that is due. */
export function formatMessage(message: SipMessage): Buffer {
  const length = Buffer.byteLength(message.body);
  const lines = [
    message.startLine,
    ...message.headers.map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${length}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${message.body}`);
}

/** First value of a header, empty when there is none. */
export function header(message: SipMessage, name: string): string {
  return headers(message, name)[0] ?? '';
}

/** All values of a header, one for each line. */
export function headers(message: SipMessage, name: string): string[] {
  const wanted = canonical(name);
  return message.headers.filter(([one]) => canonical(one) === wanted).map(([, value]) => value);
}

/** Undefined for a request. */
export function statusOf(message: SipMessage): number | undefined {
  const status = /^SIP\/2\.0 (\d{3})/.exec(message.startLine)?.[1];
  return status === undefined ? undefined : Number(status);
}

/** Method of a request, or of the request that a response answers. */
export function methodOf(message: SipMessage): string {
  if (statusOf(message) !== undefined) return header(message, 'CSeq').split(/\s+/)[1] ?? '';
  return message.startLine.split(' ')[0] ?? '';
}

export function sequenceOf(message: SipMessage): number {
  return Number(header(message, 'CSeq').split(/\s+/)[0]);
}

/** URI in a name-addr or addr-spec: `"Bob" <sip:b@h>;tag=1` and `sip:b@h;tag=1` both give `sip:b@h`. */
export function uriOf(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value.split(';')[0]?.trim() ?? '';
}

/** Parameter of a header, not of a URI in angle brackets; empty when there is none. */
export function parameterOf(value: string, name: string): string {
  const outside = value.replace(/^[^<]*<[^>]*>/, '');
  return new RegExp(`;\\s*${name}\\s*=\\s*"?([^;,"\\s]+)`, 'i').exec(outside)?.[1] ?? '';
}

/** Host and port to send to for a SIP URI (an address: this phone asks no DNS). */
export function targetOf(uri: string): { readonly host: string; readonly port: number } {
  const [, host = '', port] = /^sips?:(?:[^@]*@)?(\[[^\]]+\]|[^:;?]+)(?::(\d+))?/i.exec(uri) ?? [];
  return { host, port: port === undefined ? 5060 : Number(port) };
}
