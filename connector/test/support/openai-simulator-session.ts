import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../../src/base/clock.ts';
import { type AudioFormat, bytesPerMillisecondOf } from '../../src/media/format.ts';
import {
  type ClientEvent,
  type Dialect,
  encode,
  type Item,
  type ServerEvent,
} from './openai-simulator-event.ts';
import { type Reply, Speech } from './openai-simulator-speech.ts';
import { Vad } from './openai-simulator-vad.ts';

/** Why the model is to speak. */
export type Turn =
  | { readonly kind: 'speech'; readonly transcript: string; readonly items: readonly Item[] }
  | {
      readonly kind: 'request';
      readonly instructions: string | undefined;
      readonly items: readonly Item[];
    };

/** How the simulated model and server behave; all of it may be changed while a session runs. */
export interface Behaviour {
  /** What the caller said, by the number of the turn. */
  hear: (turn: number) => string;
  /** What the model answers; undefined: nothing at all, not even a response. */
  reply: (turn: Turn, law: AudioFormat) => Reply | undefined;
  speed: number;
  /** Between the turn's end and the response, ms. */
  thinkTime: number;
  lateDeltas: number;
  /** Every append comes straight back as a delta of one endless response; no detection of turns. */
  isEcho: boolean;
  /** Nothing is answered any more, pings included. */
  isFrozen: boolean;
}

interface Spoken {
  readonly bytes: number;
}

interface Configuration {
  readonly law: AudioFormat;
  readonly silence: number;
  readonly isAutomatic: boolean;
}

/** One client's session. */
export class SimulatedSession {
  /** What the client sent, its audio aside. */
  readonly received: ClientEvent[] = [];
  /** The conversation as the server has it. */
  readonly items: Item[] = [];
  /** Accepted truncations. */
  readonly truncations: { readonly item: string; readonly audioEnd: number }[] = [];
  /** Codes of the errors the client was given. */
  readonly errors: string[] = [];
  readonly #audio: Buffer[] = [];
  pings = 0;
  isClosed = false;
  readonly #socket: WebSocket;
  readonly #dialect: Dialect;
  readonly #behaviour: Behaviour;
  readonly #clock: Clock;
  readonly #spoken = new Map<string, Spoken>();
  #configuration: Configuration | undefined;
  #vad: Vad | undefined;
  #speech: Speech | undefined;
  #thinking: Timer | undefined;
  #audioBytes = 0;
  #turns = 0;
  #serial = 0;

  constructor(
    socket: WebSocket,
    dialect: Dialect,
    { behaviour, clock }: { behaviour: Behaviour; clock: Clock },
  ) {
    this.#socket = socket;
    this.#dialect = dialect;
    this.#behaviour = behaviour;
    this.#clock = clock;
    socket.on('message', (data: Buffer) => this.#onMessage(data.toString()));
    socket.on('ping', (data) => this.#onPing(data));
    socket.on('close', () => this.#stop());
  }

  get receivedAudioBytes(): number {
    return this.#audioBytes;
  }

  receivedAudio(): Buffer {
    return Buffer.concat(this.#audio);
  }

  /** Types of what was received, in order. */
  get receivedTypes(): string[] {
    return this.received.map(({ type }) => type);
  }

  greet(): void {
    this.send({
      type: 'session.created',
      session: { type: 'realtime', output_modalities: ['audio'] },
    });
  }

  send(event: ServerEvent): void {
    if (this.#behaviour.isFrozen) return;
    const text = encode(event, this.#dialect, `event_${++this.#serial}`);
    if (text !== undefined) this.#socket.send(text);
  }

  /** Sends what is no event at all. */
  sendRaw(text: string): void {
    this.#socket.send(text);
  }

  fail(code: string, about: string | null = null): void {
    this.errors.push(code);
    this.send({
      type: 'error',
      error: {
        type: 'invalid_request_error',
        code,
        message: `Simulated: ${code}`,
        param: null,
        event_id: about,
      },
    });
  }

  /** What the service does after its maximum duration. */
  expire(): void {
    this.fail('session_expired');
    this.close(1001);
  }

  close(code: number): void {
    this.#socket.close(code);
  }

  /** Reads nothing more, so that the client's audio piles up. */
  pause(): void {
    this.#socket.pause();
  }

  /** The connection breaks without a word. */
  break(): void {
    this.#socket.terminate();
  }

  #onPing(data: Buffer): void {
    this.pings += 1;
    if (!this.#behaviour.isFrozen) this.#socket.pong(data);
  }

  #stop(): void {
    this.isClosed = true;
    this.#thinking?.cancel();
    this.#speech?.stop();
  }

  #onMessage(text: string): void {
    if (this.#behaviour.isFrozen) return;
    // The events are our own client's; a wrong one shows as a failed test.
    const event = JSON.parse(text) as ClientEvent;
    if (event.type === 'input_audio_buffer.append')
      this.#onAudio(Buffer.from(event.audio, 'base64'));
    else this.#onCommand(event);
  }

  #onCommand(event: ClientEvent): void {
    this.received.push(event);
    if (event.type === 'session.update') this.#configure(event.session);
    else if (event.type === 'conversation.item.create') this.#addItem(event.item);
    else if (event.type === 'conversation.item.truncate') this.#truncate(event);
    else if (event.type === 'response.create') this.#onRequest(event);
    else if (event.type === 'response.cancel') this.#onCancel(event.event_id);
    else this.fail('not_simulated', event.event_id);
  }

  #onCancel(about: string | undefined): void {
    if (this.#speech === undefined) this.fail('response_cancel_not_active', about);
    else this.#speech.cancel('client_cancelled');
  }

  #configure(session: object): void {
    const configuration = configurationOf(session, this.#dialect);
    if (typeof configuration === 'string') {
      this.fail(configuration);
      return;
    }
    this.#configuration = configuration;
    this.#vad = new Vad(configuration);
    this.send({ type: 'session.updated', session: { type: 'realtime' } });
  }

  #onAudio(audio: Buffer): void {
    this.#audio.push(audio);
    this.#audioBytes += audio.length;
    if (this.#behaviour.isEcho) {
      this.#echo(audio);
      return;
    }
    if (!this.#configuration?.isAutomatic) return;
    for (const change of this.#vad?.push(audio) ?? [])
      if (change === 'started') this.#onSpeechStarted();
      else this.#onSpeechStopped();
  }

  #echo(audio: Buffer): void {
    const place = {
      response_id: 'resp_echo',
      item_id: 'item_echo',
      output_index: 0,
      content_index: 0,
    };
    if (!this.#spoken.has('item_echo'))
      this.send({ type: 'response.created', response: { id: 'resp_echo' } });
    const bytes = (this.#spoken.get('item_echo')?.bytes ?? 0) + audio.length;
    this.#spoken.set('item_echo', { bytes });
    this.send({ type: 'response.output_audio.delta', ...place, delta: audio.toString('base64') });
  }

  #onSpeechStarted(): void {
    this.#turns += 1;
    this.send({
      type: 'input_audio_buffer.speech_started',
      audio_start_ms: this.#vad?.position ?? 0,
      item_id: `item_caller_${this.#turns}`,
    });
    this.#thinking?.cancel();
    this.#speech?.cancel('turn_detected');
  }

  #onSpeechStopped(): void {
    const item_id = `item_caller_${this.#turns}`;
    this.send({
      type: 'input_audio_buffer.speech_stopped',
      audio_end_ms: this.#vad?.position ?? 0,
      item_id,
    });
    this.send({ type: 'input_audio_buffer.committed', item_id, previous_item_id: null });
    const transcript = this.#behaviour.hear(this.#turns);
    this.#addItem({
      type: 'message',
      role: 'user',
      id: item_id,
      content: [{ type: 'input_audio', transcript }],
    });
    const place = { item_id, content_index: 0 };
    this.send({
      type: 'conversation.item.input_audio_transcription.delta',
      ...place,
      delta: transcript,
    });
    this.send({
      type: 'conversation.item.input_audio_transcription.completed',
      ...place,
      transcript,
      usage: { type: 'duration', seconds: 1 },
    });
    this.#think({ kind: 'speech', transcript, items: this.items });
  }

  #addItem(item: Item): void {
    const added = { ...item, id: item.id ?? `item_${++this.#serial}` };
    this.items.push(added);
    this.send({ type: 'conversation.item.added', item: added, previous_item_id: null });
    this.send({ type: 'conversation.item.done', item: added, previous_item_id: null });
  }

  #onRequest(event: Extract<ClientEvent, { type: 'response.create' }>): void {
    if (this.#speech !== undefined) {
      this.fail('conversation_already_has_active_response', event.event_id);
      return;
    }
    const instructions = event.response?.instructions;
    this.#think({ kind: 'request', instructions, items: this.items });
  }

  #think(turn: Turn): void {
    const start = () => this.#respond(turn);
    if (this.#behaviour.thinkTime === 0) start();
    else this.#thinking = this.#clock.after(this.#behaviour.thinkTime, start);
  }

  #respond(turn: Turn): void {
    const reply = this.#behaviour.reply(turn, this.#configuration?.law ?? 'pcmu');
    if (reply === undefined || this.#speech !== undefined) return;
    const number = ++this.#serial;
    const item = `item_agent_${number}`;
    const speech = new Speech({
      id: `resp_${number}`,
      item,
      reply,
      clock: this.#clock,
      speed: this.#behaviour.speed,
      lateDeltas: this.#behaviour.lateDeltas,
      send: (event) => this.send(event),
      onDone: () => {
        this.#speech = undefined;
        this.#spoken.set(item, { bytes: speech.sentBytes });
      },
    });
    this.#speech = speech;
    speech.start();
  }

  get #bytesPerMillisecond(): number {
    return bytesPerMillisecondOf(this.#configuration?.law ?? 'pcmu');
  }

  #truncate(event: Extract<ClientEvent, { type: 'conversation.item.truncate' }>): void {
    const spoken = this.#spoken.get(event.item_id);
    const length = (spoken?.bytes ?? 0) / this.#bytesPerMillisecond;
    const audioEnd = event.audio_end_ms;
    if (spoken === undefined) this.fail('item_truncate_invalid_item_id', event.event_id);
    else if (
      !Number.isInteger(audioEnd) ||
      audioEnd < 0 ||
      audioEnd > length ||
      event.content_index !== 0
    )
      this.fail('invalid_value', event.event_id);
    else {
      this.#spoken.set(event.item_id, { bytes: audioEnd * this.#bytesPerMillisecond });
      this.truncations.push({ item: event.item_id, audioEnd });
      this.send({
        type: 'conversation.item.truncated',
        item_id: event.item_id,
        content_index: 0,
        audio_end_ms: audioEnd,
      });
    }
  }
}

/** What a session.update says, or the code of the error it deserves. */
function configurationOf(session: object, dialect: Dialect): Configuration | string {
  const get = (...path: string[]): unknown =>
    path.reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined,
      session,
    );
  const isGa = dialect === 'ga';
  if (isGa && get('type') !== 'realtime') return 'missing_required_parameter';
  if (!isGa && get('type') !== undefined) return 'unknown_parameter';
  const format = isGa ? get('audio', 'input', 'format', 'type') : get('input_audio_format');
  const output = isGa ? get('audio', 'output', 'format', 'type') : get('output_audio_format');
  const detection = isGa ? ['audio', 'input', 'turn_detection'] : ['turn_detection'];
  if (format !== output) return 'invalid_value';
  const law = formatOf(format);
  if (law === undefined) return 'invalid_value';
  return {
    law,
    silence: Number(get(...detection, 'silence_duration_ms') ?? 500),
    isAutomatic: get(...detection, 'create_response') === true,
  };
}

function formatOf(format: unknown): AudioFormat | undefined {
  if (format === 'audio/pcm' || format === 'pcm16') return 'pcm24k';
  if (format === 'audio/pcmu' || format === 'g711_ulaw') return 'pcmu';
  return format === 'audio/pcma' || format === 'g711_alaw' ? 'pcma' : undefined;
}
