/** A server event that carries audio, in the wire's own names. */
export interface AudioDelta {
  readonly type: string;
  readonly response_id: string;
  readonly item_id: string;
  readonly delta: string;
}

const kinds = ['{"type":"response.output_audio.delta"', '{"type":"response.audio.delta"'];
const marker = '"delta":"';

/**
 * Reads an audio delta without parsing its JSON: there are 50 a second for each call where a provider
 * sends in real time. Undefined for anything but the plain form, which JSON.parse then has to read.
 */
export function readAudioDelta(message: Buffer): AudioDelta | undefined {
  const text = message.toString('latin1');
  if (!kinds.some((kind) => text.startsWith(kind))) return undefined;
  const at = text.lastIndexOf(marker);
  const end = text.indexOf('"', at + marker.length);
  // Nothing may stand behind the audio but the closing brace, and nothing in it be escaped.
  if (at < 0 || end !== text.length - 2 || text.includes('\\', at)) return undefined;
  const head = text.slice(0, at);
  const response = stringOf(head, '"response_id":"');
  const item = stringOf(head, '"item_id":"');
  if (response === undefined || item === undefined) return undefined;
  const type = head.slice(9, head.indexOf('"', 9));
  const delta = text.slice(at + marker.length, end);
  return { type, response_id: response, item_id: item, delta };
}

function stringOf(head: string, key: string): string | undefined {
  const at = head.indexOf(key);
  if (at < 0) return undefined;
  const text = head.slice(at + key.length, head.indexOf('"', at + key.length));
  return text.includes('\\') ? undefined : text;
}
