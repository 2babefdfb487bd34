import type { Clock, Timer } from '../../src/base/clock.ts';
import type { Item, ServerEvent } from './openai-simulator-event.ts';

/** What the simulated model says in one response. */
export interface Reply {
  /** G.711 in the session's law; may be empty when there are only tool calls. */
  readonly audio: Buffer;
  readonly text: string;
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: string }[];
  /** The response fails with this code instead of being completed. */
  readonly failure?: string;
}

export interface SpeechParts {
  readonly id: string;
  readonly item: string;
  readonly reply: Reply;
  readonly clock: Clock;
  /** Multiple of real time in which audio is delivered. */
  readonly speed: number;
  /** Deltas that are still sent after a cancel. */
  readonly lateDeltas: number;
  readonly send: (event: ServerEvent) => void;
  readonly onDone: () => void;
}

const deltaBytes = 1600;
const deltaLength = 200;

/** A response being spoken: 200 ms deltas, their transcript, then the tool calls. */
export class Speech {
  readonly #parts: SpeechParts;
  readonly #words: string[];
  #sent = 0;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(parts: SpeechParts) {
    this.#parts = parts;
    this.#words = parts.reply.text.split(/(?<=\s)/);
  }

  get id(): string {
    return this.#parts.id;
  }

  start(): void {
    const { id, send, reply } = this.#parts;
    send({ type: 'response.created', response: { id, status: 'in_progress', output: [] } });
    if (reply.audio.length === 0) {
      this.#finish();
      return;
    }
    const added = this.#message('in_progress');
    send({ type: 'response.output_item.added', response_id: id, output_index: 0, item: added });
    send({ type: 'conversation.item.added', previous_item_id: null, item: added });
    send({
      type: 'response.content_part.added',
      ...this.#place(),
      part: { type: 'audio', transcript: '' },
    });
    this.#speak();
  }

  /** Bytes of audio that were sent. */
  get sentBytes(): number {
    return this.#sent;
  }

  cancel(reason: 'turn_detected' | 'client_cancelled'): void {
    if (this.#isOver) return;
    this.#timer?.cancel();
    for (let late = 0; late < this.#parts.lateDeltas; late++) this.#delta();
    const { id, send } = this.#parts;
    this.#over();
    send({
      type: 'response.done',
      response: {
        id,
        status: 'cancelled',
        status_details: { type: 'cancelled', reason },
        output: [],
      },
    });
    // The worst a network can do: audio of a response that is over.
    if (this.#parts.lateDeltas > 0) this.#delta();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#isOver = true;
  }

  #over(): void {
    this.#isOver = true;
    this.#parts.onDone();
  }

  #speak(): void {
    this.#delta();
    const { clock, speed, reply } = this.#parts;
    const isLast = this.#sent >= reply.audio.length;
    const next = isLast ? () => this.#finish() : () => this.#speak();
    this.#timer = clock.after(isLast ? 0 : deltaLength / speed, next);
  }

  #delta(): void {
    const { reply, send } = this.#parts;
    const audio = reply.audio.subarray(this.#sent, this.#sent + deltaBytes);
    if (audio.length === 0) return;
    this.#sent += audio.length;
    const delta = audio.toString('base64');
    send({ type: 'response.output_audio.delta', ...this.#place(), delta });
    const word = this.#words.shift();
    if (word !== undefined)
      send({ type: 'response.output_audio_transcript.delta', ...this.#place(), delta: word });
  }

  #finish(): void {
    const { reply, send, id } = this.#parts;
    if (reply.audio.length > 0) this.#endMessage();
    for (const [index, call] of (reply.toolCalls ?? []).entries()) this.#call(call, index + 1);
    this.#over();
    const { failure } = reply;
    send({
      type: 'response.done',
      response:
        failure === undefined
          ? { id, status: 'completed', output: [] }
          : {
              id,
              status: 'failed',
              status_details: { type: 'failed', error: { type: 'server_error', code: failure } },
              output: [],
            },
    });
  }

  #endMessage(): void {
    const { reply, send, id } = this.#parts;
    for (const word of this.#words)
      send({ type: 'response.output_audio_transcript.delta', ...this.#place(), delta: word });
    send({ type: 'response.output_audio.done', ...this.#place() });
    send({
      type: 'response.output_audio_transcript.done',
      ...this.#place(),
      transcript: reply.text,
    });
    const done = this.#message('completed');
    send({ type: 'conversation.item.done', item: done, previous_item_id: null });
    send({ type: 'response.output_item.done', response_id: id, output_index: 0, item: done });
  }

  #call(call: { readonly name: string; readonly arguments: string }, index: number): void {
    const { send, id } = this.#parts;
    const item_id = `${id}_call_${index}`;
    const call_id = `call_${item_id}`;
    const item = { type: 'function_call', id: item_id, call_id, ...call } as const;
    const place = { response_id: id, output_index: index } as const;
    send({
      type: 'response.output_item.added',
      ...place,
      item: { ...item, arguments: '', status: 'in_progress' },
    });
    send({
      type: 'response.function_call_arguments.delta',
      ...place,
      item_id,
      call_id,
      delta: call.arguments,
    });
    send({ type: 'response.function_call_arguments.done', ...place, item_id, call_id, ...call });
    send({ type: 'response.output_item.done', ...place, item: { ...item, status: 'completed' } });
  }

  #place() {
    const { id, item } = this.#parts;
    return { response_id: id, item_id: item, output_index: 0, content_index: 0 } as const;
  }

  #message(status: 'in_progress' | 'completed'): Item {
    const { item: id, reply } = this.#parts;
    return {
      type: 'message',
      role: 'assistant',
      id,
      status,
      content: status === 'completed' ? [{ type: 'output_audio', transcript: reply.text }] : [],
    };
  }
}
