import type { Law } from './g711.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface Description {
  readonly address: string;
  readonly port: number;
  /** Laws offered or accepted, best first. */
  readonly laws: readonly Law[];
  /** Payload type of RFC 4733 events. */
  readonly events: number | undefined;
  readonly direction: Direction;
}

const payloadTypes = { pcmu: 0, pcma: 8 } as const;

/** SDP of one audio stream (RFC 8866); `version` rises with each change of a session. */
export function formatDescription(
  { address, port, laws, events, direction }: Description,
  session: { readonly id: number; readonly version: number },
): string {
  const family = address.includes(':') ? 'IP6' : 'IP4';
  const types = [
    ...laws.map((law) => payloadTypes[law]),
    ...(events === undefined ? [] : [events]),
  ];
  return [
    'v=0',
    `o=phone ${session.id} ${session.version} IN ${family} ${address}`,
    's=-',
    `c=IN ${family} ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${types.join(' ')}`,
    ...laws.map((law) => `a=rtpmap:${payloadTypes[law]} ${law.toUpperCase()}/8000`),
    ...(events === undefined
      ? []
      : [`a=rtpmap:${events} telephone-event/8000`, `a=fmtp:${events} 0-15`]),
    'a=ptime:20',
    `a=${direction}`,
    '',
  ].join('\r\n');
}

/** The first audio stream. Throws when there is none. */
export function parseDescription(sdp: string): Description {
  const lines = sdp.split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith('m=audio '));
  const media = lines[start]?.split(' ');
  if (!media) throw new Error('no audio in the SDP');
  const next = lines.findIndex((line, index) => index > start && line.startsWith('m='));
  const own = lines.slice(start, next === -1 ? undefined : next);
  const common = lines.slice(0, start);
  const find = (pattern: RegExp) =>
    [...own, ...common].map((line) => pattern.exec(line)).find((match) => match !== null);
  const types = media.slice(3).map(Number);
  const events = find(/^a=rtpmap:(\d+) telephone-event\/8000/i)?.[1];
  return {
    address: find(/^c=IN IP[46] (\S+)/)?.[1] ?? '',
    port: Number(media[1]),
    laws: types.flatMap((type): Law[] => (type === 0 ? ['pcmu'] : type === 8 ? ['pcma'] : [])),
    events: events === undefined ? undefined : Number(events),
    direction: asDirection(find(/^a=(sendrecv|sendonly|recvonly|inactive)\s*$/)?.[1]),
  };
}

function asDirection(text: string | undefined): Direction {
  return text === 'sendonly' || text === 'recvonly' || text === 'inactive' ? text : 'sendrecv';
}

/** What answers an offered direction, as one who wants to hear and speak. */
export function mirrored(direction: Direction): Direction {
  return direction === 'sendonly' ? 'recvonly' : direction === 'recvonly' ? 'sendonly' : direction;
}
