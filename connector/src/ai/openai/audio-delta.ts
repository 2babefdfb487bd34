/** A server event that carries audio; `delta` is base64. */
export interface AudioDelta {
  readonly response: string;
  readonly item: string;
  readonly delta: string;
}

const ga = '{"type":"response.output_audio.delta"';
const beta = '{"type":"response.audio.delta"';
const marker = '"delta":"';

/**
 * Reads an audio delta without parsing its JSON: there are 50 a second for each call where a provider
 * sends in real time. Undefined for anything but the plain form, which JSON.parse then has to read.
 */
export function readAudioDelta(message: Buffer): AudioDelta | undefined {
  const text = message.toString('latin1');
  if (!text.startsWith(ga) && !text.startsWith(beta)) return undefined;
  const at = text.indexOf(marker);
  const end = text.indexOf('"', at + marker.length);
  // Nothing may stand behind the audio but the closing brace, and nothing at all be escaped.
  if (at < 0 || end !== text.length - 2 || text.includes('\\')) return undefined;
  const response = stringOf({ message, text }, '"response_id":"', at);
  const item = stringOf({ message, text }, '"item_id":"', at);
  if (response === undefined || item === undefined) return undefined;
  return { response, item, delta: text.slice(at + marker.length, end) };
}

/**
 * The string after `key`, which is looked for before `end`. Names outlive their message by minutes, and a
 * slice of its text would keep all of that: they are read anew.
 */
function stringOf(
  { message, text }: { readonly message: Buffer; readonly text: string },
  key: string,
  end: number,
): string | undefined {
  const at = text.indexOf(key);
  if (at < 0 || at > end) return undefined;
  const start = at + key.length;
  return message.toString('latin1', start, text.indexOf('"', start));
}
