import { mediaTypeOf } from './info-dtmf.ts';
import type { Received, Response } from './signalling.ts';

/** The session description of a message: `none` for an empty body, `unsupported` calls for a 415. */
export type SdpBody =
  | { readonly kind: 'sdp'; readonly sdp: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unsupported' };

export const unsupportedBody: Response = {
  status: 415,
  headers: { Accept: 'application/sdp', 'Accept-Encoding': 'identity' },
};

/** Finds SDP as the whole body or as a part of a multipart one, as SIP-I and emergency calls send it. */
export function sdpBodyOf(message: Pick<Received, 'body' | 'header'>): SdpBody {
  if (message.body === '') return { kind: 'none' };
  const encoding = message.header('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity') return { kind: 'unsupported' };
  const contentType = message.header('content-type');
  const type = mediaTypeOf(contentType);
  if (type === 'application/sdp') return { kind: 'sdp', sdp: message.body };
  if (!type.startsWith('multipart/')) return { kind: 'unsupported' };
  const part = partsOf(contentType ?? '', message.body).find(isSdp);
  return part === undefined ? { kind: 'unsupported' } : { kind: 'sdp', sdp: part.content };
}

interface Part {
  readonly head: string;
  readonly content: string;
}

function isSdp({ head }: Part): boolean {
  return /^content-type\s*:\s*application\/sdp\b/im.test(head);
}

/** RFC 2046 §5.1.1. */
function partsOf(contentType: string, body: string): Part[] {
  const boundary = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  const delimiter = boundary?.[1] ?? boundary?.[2];
  if (delimiter === undefined) return [];
  return `\r\n${body}`
    .split(`\r\n--${delimiter}`)
    .slice(1)
    .filter((text) => !text.startsWith('--'))
    .map((text) => {
      const [head = '', ...rest] = text.split('\r\n\r\n');
      return { head: head.trim(), content: rest.join('\r\n\r\n') };
    });
}
