import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { secret } from './server.ts';

const program = fileURLToPath(import.meta.resolve('./application-process.ts'));

/** What the application was told: `INFO`, `BYE`, `200` to its INVITE, `connected`. */
export interface Told {
  readonly what: string;
  readonly dialog: string;
  readonly transaction: string;
}

export type Order =
  | { readonly kind: 'call'; readonly uri: string }
  /** From now on it answers nothing. */
  | { readonly kind: 'mute' };

/** An application with drachtio-srf in a process of its own, which can be killed. */
export class Application {
  /** Everything it was told and that was not taken yet. */
  readonly told: Told[] = [];
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  #wake: () => void = () => undefined;

  private constructor(port: number, tag: string) {
    this.#process = spawn(process.execPath, [program, String(port), secret, tag], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.told.push(JSON.parse(line) as Told);
      this.#wake();
    });
  }

  /** Connected, and told what waited for it. */
  static async start(port: number, tag = 'node@gw-1'): Promise<Application> {
    const application = new Application(port, tag);
    await application.isTold('connected', false);
    return application;
  }

  order(order: Order): void {
    this.#process.stdin.write(`${JSON.stringify(order)}\n`);
  }

  /** The first that is called so, taken out; rejects after 20 s. */
  async isTold(what: string, takes = true): Promise<Told> {
    const until = Date.now() + 20_000;
    for (;;) {
      const at = this.told.findIndex((each) => each.what === what);
      const [found] = takes && at >= 0 ? this.told.splice(at, 1) : this.told.slice(at);
      if (at >= 0 && found) return found;
      const left = until - Date.now();
      if (left <= 0) throw new Error(`the application was not told ${what}`);
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
