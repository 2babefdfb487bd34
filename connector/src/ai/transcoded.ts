import { createConverter, formatFor } from '../media/audio/codecs.ts';
import { sampleRateOf, telephoneFormats } from '../media/format.ts';
import type { Provider, Session, SessionEvent, SessionOptions } from './session.ts';

/** Opens a session that speaks the format of `options`, also where the provider does not take it. */
export async function openInFormat(
  provider: Provider,
  options: SessionOptions,
  listener: { readonly onEvent: (event: SessionEvent) => void; readonly signal: AbortSignal },
): Promise<Session> {
  const { onEvent, signal } = listener;
  const { formats = telephoneFormats } = provider;
  if (formats.includes(options.format)) return provider.open(options, onEvent, signal);
  const isWide = sampleRateOf(options.format) > 8000;
  const format = formatFor(isWide ? 'OPUS' : 'PCMU', formats);
  const toLine = createConverter(format, options.format);
  const toProvider = createConverter(options.format, format);
  const session = await provider.open(
    { ...options, format },
    (event) => onEvent(event.type === 'audio' ? { ...event, audio: toLine(event.audio) } : event),
    signal,
  );
  return new TranscodedSession(session, toProvider);
}

/** Its audio converted, all else handed on. */
class TranscodedSession implements Session {
  readonly #session: Session;
  readonly #convert: (audio: Buffer) => Buffer;

  constructor(session: Session, convert: (audio: Buffer) => Buffer) {
    this.#session = session;
    this.#convert = convert;
  }

  appendAudio(audio: Buffer): void {
    this.#session.appendAudio(this.#convert(audio));
  }

  appendDigit(digit: string): void {
    this.#session.appendDigit(digit);
  }

  say(text: string): void {
    this.#session.say(text);
  }

  respond(): void {
    this.#session.respond();
  }

  interrupt(heard: Parameters<Session['interrupt']>[0]): void {
    this.#session.interrupt(heard);
  }

  addToolResult(callId: string, output: string): void {
    this.#session.addToolResult(callId, output);
  }

  close(): void {
    this.#session.close();
  }
}
