import type { Provider, Session, SessionEvent, SessionOptions } from '../../src/ai/session.ts';
import { ConnectorError } from '../../src/base/errors.ts';

/** A session that does nothing by itself: the test emits its events and reads what it was told. */
export class FakeSession implements Session {
  readonly options: SessionOptions;
  readonly #onEvent: (event: SessionEvent) => void;
  /** Everything but audio, in order, as `method argument`. */
  readonly calls: string[] = [];
  audio = Buffer.alloc(0);
  isClosed = false;
  #replies = 0;

  constructor(options: SessionOptions, onEvent: (event: SessionEvent) => void) {
    this.options = options;
    this.#onEvent = onEvent;
  }

  emit(...events: SessionEvent[]): void {
    for (const event of events) this.#onEvent(event);
  }

  /** A whole reply of one item, all its audio at once. Returns reply and item. */
  reply(text: string, milliseconds: number, fill = 1): { reply: string; item: string } {
    const names = this.begin(text, milliseconds, fill);
    this.emit({ type: 'agent-transcript', item: names.item, text, final: true });
    this.emit({ type: 'reply-ended', reply: names.reply, status: 'completed' });
    return names;
  }

  /** A reply whose end is still to come. */
  begin(text: string, milliseconds: number, fill = 1): { reply: string; item: string } {
    const reply = `r${++this.#replies}`;
    const item = `i${this.#replies}`;
    this.emit(
      { type: 'reply-started', reply },
      { type: 'agent-transcript', item, text, final: false },
      { type: 'audio', reply, item, audio: Buffer.alloc(milliseconds * 8, fill) },
    );
    return { reply, item };
  }

  /** What the caller said, from first sound to text. */
  hears(text: string, item = `c${this.calls.length}-${this.#replies}`): void {
    this.emit(
      { type: 'speech-started' },
      { type: 'speech-stopped' },
      { type: 'caller-transcript', item, text, final: true },
    );
  }

  appendAudio(audio: Buffer): void {
    if (!this.isClosed) this.audio = Buffer.concat([this.audio, audio]);
  }

  appendDigit(digit: string): void {
    this.calls.push(`digit ${digit}`);
  }

  say(text: string): void {
    this.calls.push(`say ${text}`);
  }

  respond(): void {
    this.calls.push('respond');
  }

  interrupt(heard: { item: string; milliseconds: number } | undefined): void {
    this.calls.push(heard ? `interrupt ${heard.item} ${heard.milliseconds}` : 'interrupt');
  }

  addToolResult(callId: string, output: string): void {
    this.calls.push(`result ${callId} ${output}`);
  }

  close(): void {
    this.isClosed = true;
  }
}

type Opening = 'at once' | 'never' | ConnectorError;

/** Opens sessions as scripted: by default at once; `never` until its signal aborts; or it fails. */
export class FakeProvider implements Provider {
  readonly name: string;
  readonly sessions: FakeSession[] = [];
  readonly #script: Opening[];
  attempts = 0;

  constructor(name = 'fake', ...script: Opening[]) {
    this.name = name;
    this.#script = script;
  }

  get session(): FakeSession {
    const last = this.sessions.at(-1);
    if (!last) throw new Error(`${this.name} has no session`);
    return last;
  }

  open(
    options: SessionOptions,
    onEvent: (event: SessionEvent) => void,
    signal: AbortSignal,
  ): Promise<Session> {
    this.attempts++;
    // The last entry of the script holds from there on.
    const [opening = 'at once'] = this.#script;
    if (this.#script.length > 1) this.#script.shift();
    if (opening instanceof ConnectorError) return Promise.reject(opening);
    if (opening === 'never') {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      });
    }
    const session = new FakeSession(options, onEvent);
    this.sessions.push(session);
    return Promise.resolve(session);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
