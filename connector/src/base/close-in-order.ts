import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

/** What was opened, to be closed in the reverse order; one that fails does not keep the others open. */
export class CloseInOrder {
  readonly #log: Log;
  readonly #opened: { readonly name: string; readonly close: () => unknown }[] = [];
  #closing: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** `close` is awaited where it returns a promise. */
  add(name: string, close: () => unknown): void {
    this.#opened.push({ name, close });
  }

  /** Idempotent; resolves when everything is closed, never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    for (const { name, close } of this.#opened.toReversed()) {
      try {
        await close();
      } catch (error) {
        this.#log.error({ part: name, error: messageOf(error) }, 'a part did not close');
      }
    }
  }
}
