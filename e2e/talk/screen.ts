/** What the demonstration shows: one line for each thing that happens, with its time. */

const colours = {
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  bold: 1,
};
type Colour = keyof typeof colours;

interface Verdict {
  readonly isRight: boolean;
  readonly note?: string;
}

export class Screen {
  readonly #write: (text: string) => void;
  readonly #isColoured: boolean;
  readonly #began = performance.now();

  constructor(write: (text: string) => void, isColoured: boolean) {
    this.#write = write;
    this.#isColoured = isColoured;
  }

  title(text: string): void {
    this.#write(`\n${this.#paint('bold', text)}\n`);
  }

  note(text: string): void {
    this.#line('dim', '', text);
  }

  /** A SIP message; columns are caller, Parley, kitchen. */
  sip(arrow: string, text: string): void {
    this.#line('dim', `SIP  ${arrow}`, text);
  }

  says(who: string, text: string): void {
    this.#line(who === 'AI' ? 'magenta' : 'cyan', `${who} says`, `"${text}"`);
  }

  /** What somebody understood, and whether it was right. */
  understood(who: string, text: string, { isRight, note = '' }: Verdict): void {
    const mark = isRight ? this.#paint('green', 'ok') : this.#paint('red', 'WRONG');
    this.#line(
      who === 'AI' ? 'yellow' : 'blue',
      `${who} ${who === 'AI' ? 'understood' : 'heard'}`,
      `"${text}" ${mark}${note === '' ? '' : this.#paint('dim', `  ${note}`)}`,
    );
  }

  does(who: string, text: string): void {
    this.#line('cyan', who, text);
  }

  figure(name: string, value: string): void {
    this.#write(`  ${name.padEnd(46)} ${this.#paint('bold', value)}\n`);
  }

  failure(step: string, reason: string): void {
    this.#write(`\n${this.#paint('red', `FAILED at "${step}"`)}: ${reason}\n`);
  }

  success(text: string): void {
    this.#write(`\n${this.#paint('green', text)}\n`);
  }

  plain(text: string): void {
    this.#write(`${text}\n`);
  }

  #line(colour: Colour, who: string, text: string): void {
    const time = ((performance.now() - this.#began) / 1000).toFixed(2).padStart(6);
    this.#write(`${this.#paint('dim', time)}  ${this.#paint(colour, who.padEnd(26))} ${text}\n`);
  }

  #paint(colour: Colour, text: string): string {
    return this.#isColoured ? `\u001B[${colours[colour]}m${text}\u001B[0m` : text;
  }
}
