import { headers } from '../message/headers.ts';
import type { SipMessage } from '../message/message.ts';
import { branchOf, parseVia } from '../message/via.ts';

/** A connection is kept no longer than this for what is open on it. */
export const longestOpen = 5 * 60_000;

/** More at a time is no peer's business; the oldest are forgotten, which only matters to `retire`. */
const mostOpen = 10_000;

/** Which transactions a connection carries: requests, either way, without a final response. */
export class OpenTransactions {
  /** When each began, oldest first, by `keyOf`. */
  readonly #began = new Map<string, number>();

  received(message: SipMessage, now: number): void {
    const branch = branchOf(parseVia(headers(message, 'via')[0] ?? '') ?? noVia) ?? '';
    const isRequest = message.kind === 'request';
    const method = isRequest ? message.method : methodOf(headers(message, 'cseq')[0] ?? '');
    if (message.kind === 'request') this.#begin(keyOf('in', branch, method), now);
    else if (message.status >= 200) this.#began.delete(keyOf('out', branch, method));
  }

  /** What we write is well-formed and its Via is first, so that a look at the text is enough. */
  sent(bytes: Buffer, now: number): void {
    const end = bytes.indexOf('\r\n\r\n');
    const head = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
    const branch = /^via:[^\r\n]*?;branch=([^;,\s]+)/im.exec(head)?.[1] ?? '';
    const method = methodOf(/^cseq:\s*([^\r\n]+)/im.exec(head)?.[1] ?? '');
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(head)?.[1] ?? 0);
    if (status === 0) this.#begin(keyOf('out', branch, method), now);
    else if (status >= 200) this.#began.delete(keyOf('in', branch, method));
  }

  /** How many are open; what is older than `longestOpen` is forgotten. */
  count(now: number): number {
    this.#forget(now);
    return this.#began.size;
  }

  #begin(key: string, now: number): void {
    if (key.endsWith(' ACK')) return;
    this.#forget(now);
    if (this.#began.has(key)) return;
    this.#began.set(key, now);
    if (this.#began.size <= mostOpen) return;
    const [oldest] = this.#began.keys();
    if (oldest !== undefined) this.#began.delete(oldest);
  }

  #forget(now: number): void {
    for (const [key, began] of this.#began) {
      if (now - began < longestOpen) return;
      this.#began.delete(key);
    }
  }
}

const noVia = { transport: '', host: '', params: [] };

function keyOf(direction: 'in' | 'out', branch: string, method: string): string {
  return `${direction} ${branch} ${method}`;
}

function methodOf(cseq: string): string {
  return cseq.trim().split(/\s+/)[1] ?? '';
}
