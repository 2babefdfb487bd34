import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from '../phone/call.ts';
import type { Person, Understood } from '../phone/voice.ts';
import type { Connector } from './connector.ts';
import type { Screen } from './screen.ts';

export interface SceneParts {
  readonly screen: Screen;
  readonly connector: Pick<Connector, 'call'>;
  readonly caller: Person;
  readonly call: Call;
  /** The call as the connector knows it. */
  readonly id: string;
  /** ms between the last sound of the caller and the first of the answer. */
  readonly latencies: number[];
}

/** As the recogniser spells it. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[.,?!]/g, '')
    .trim();
}

const patience = 10_000;

/** One call of the script: what is said, checked at both ends. */
export class Scene {
  readonly #parts: SceneParts;
  /** Caller turns of the transcript that were checked. */
  #turns = 0;

  constructor(parts: SceneParts) {
    this.#parts = parts;
  }

  fail(reason: string): never {
    throw new Error(reason);
  }

  /** The caller speaks, and the AI must have understood every word; returns when it sounded. */
  async say(text: string): Promise<{ readonly began: number; readonly ended: number }> {
    const { screen, caller, call } = this.#parts;
    screen.says('caller', text);
    const spoken = await caller.speak(call, text);
    await this.#expectTurn(plain(text));
    return spoken;
  }

  async press(key: string): Promise<void> {
    const { screen, call } = this.#parts;
    screen.does('caller presses', key);
    call.media.press(key);
    await this.#expectTurn(`(pressed ${key})`);
  }

  /** The caller must hear `text`, from sample `from` of what he heard on. */
  async hear(text: string, from: number, after?: number): Promise<Understood> {
    const { caller, call, screen, latencies } = this.#parts;
    const heard = await caller.listen(call, { from, patience });
    if (!heard) this.fail(`the caller heard nothing; it should have been "${text}"`);
    const isRight = heard.text === plain(text);
    const latency = after === undefined ? undefined : heard.began - after;
    if (latency !== undefined) latencies.push(latency);
    const note = `confidence ${heard.confidence.toFixed(2)}`;
    const delayed = latency === undefined ? '' : `, ${latency.toFixed(0)} ms after the caller`;
    screen.understood('caller', heard.text, { isRight, note: `${note}${delayed}` });
    if (!isRight) this.fail(`the caller should have heard "${plain(text)}"`);
    return heard;
  }

  /** Says something and hears the answer. */
  async exchange(said: string, answer: string): Promise<void> {
    const { hearing } = this.#parts.call.media;
    const from = hearing.length;
    const { ended } = await this.say(said);
    await this.hear(answer, from, ended);
  }

  /** Waits for something, and fails with `reason` when it does not come. */
  async within<Result>(time: number, what: Promise<Result>, reason: string): Promise<Result> {
    const timeout = new AbortController();
    try {
      return await Promise.race([
        what.catch(() => this.fail(reason)),
        delay(time, undefined, { signal: timeout.signal }).then(() => this.fail(reason)),
      ]);
    } finally {
      timeout.abort();
    }
  }

  /** The next thing the caller did, by the connector's own transcript, is this. */
  async #expectTurn(want: string): Promise<void> {
    const { connector, id, screen } = this.#parts;
    for (let waited = 0; waited < 5000; waited += 50) {
      const { transcript } = await connector.call(id);
      const turn = transcript.filter(({ role }) => role === 'caller')[this.#turns];
      if (turn) {
        this.#turns++;
        screen.understood('AI', turn.text, { isRight: turn.text === want });
        if (turn.text !== want) this.fail(`the AI should have understood "${want}"`);
        return;
      }
      await delay(50);
    }
    this.fail(`the AI did not understand "${want}"`);
  }
}
