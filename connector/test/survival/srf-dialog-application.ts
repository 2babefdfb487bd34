import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { DialogRecord } from '../../src/calls/srf-dialog.ts';

const program = resolve(import.meta.dirname, 'srf-dialog-process.ts');

export interface Start {
  readonly port: number;
  readonly secret: string;
  /** Dialogs of the process before. */
  readonly records: readonly DialogRecord[];
}

export type DialogOrder =
  | { readonly kind: 'call'; readonly uri: string }
  | { readonly kind: 'modify'; readonly id: string; readonly sdp: string }
  | { readonly kind: 'request'; readonly id: string; readonly method: string }
  | { readonly kind: 'destroy'; readonly id: string };

/** An event of a dialog; `up` when there is one, `done` after an order. */
export interface DialogTold {
  readonly what: string;
  readonly id: string;
  readonly result?: string;
  readonly record?: DialogRecord;
}

/** An application of drachtio-srf's dialogs in a process of its own, which can be killed. */
export class DialogApplication {
  readonly told: DialogTold[] = [];
  readonly #process: ChildProcess;
  #wake: () => void = () => undefined;

  private constructor(start: Start) {
    this.#process = fork(program, [JSON.stringify(start)]);
    this.#process.on('message', (told: DialogTold) => {
      this.told.push(told);
      this.#wake();
    });
  }

  static async start(start: Start): Promise<DialogApplication> {
    const application = new DialogApplication(start);
    await application.next('connected');
    return application;
  }

  order(order: DialogOrder): void {
    this.#process.send(order);
  }

  /** The first that is called so, taken out. Rejects after 20 s, and at once when an order failed. */
  async next(what: string): Promise<DialogTold> {
    const until = Date.now() + 20_000;
    for (;;) {
      const at = this.told.findIndex((each) => each.what === what || each.what === 'failed');
      const [found] = at < 0 ? [] : this.told.splice(at, 1);
      if (found?.what === what) return found;
      if (found) throw new Error(`the application failed: ${found.result}`);
      const left = until - Date.now();
      if (left <= 0) throw new Error(`the application did not say ${what}`);
      await new Promise<void>((done) => {
        const late = setTimeout(done, left);
        this.#wake = () => {
          clearTimeout(late);
          done();
        };
      });
    }
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }
}
