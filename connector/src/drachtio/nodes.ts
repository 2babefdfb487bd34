import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { DialogId, InboundRequest, UserAgent } from '../sip/user-agent.ts';
import type { Application } from './application.ts';
import { Node, type NodeUser, type Patience, type Seat } from './node.ts';
import type { Switchboard } from './switchboard.ts';

/** What may wait for applications that are gone, over all of them, and for one. A message is a few KB. */
const mostHeld = 8_192;
const mostHeldOfNode = 2_048;

/** Longest tag and letters as clients can send them (`dialog-restore.md` 6.1). */
const identityPattern = /^node@[\w+@:-]{1,27}$/;

/** An authenticated connection, by whose tags it is told who speaks. */
type Speaker = Application & Seat;

interface NodesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly patience: Patience;
  readonly switchboard: Switchboard;
}

/** The applications that come back under a name of their own, and which connection speaks for which. */
export class Nodes {
  readonly #options: NodesOptions;
  readonly #nodes = new Map<string, Node>();
  readonly #seats = new Map<Speaker, Node>();
  #heldCount = 0;
  #userAgent: UserAgent | undefined;

  constructor(options: NodesOptions) {
    this.#options = options;
  }

  connect(userAgent: UserAgent): void {
    this.#userAgent = userAgent;
  }

  /** A connection is authenticated; the last with a name speaks for it from now on. */
  join(connection: Speaker): void {
    const identity = connection.tags.find((tag) => identityPattern.test(tag));
    const current = this.#seats.get(connection);
    if (current?.identity === identity) return;
    if (current) this.leave(connection);
    if (identity === undefined) return;
    const node = this.#named(identity);
    // Its routes end with the connection that asked for them.
    this.#options.switchboard.registrations.removeAll(node);
    for (const [seat, each] of this.#seats) {
      if (each !== node) continue;
      this.#seats.delete(seat);
      this.#options.log.warn({ node: identity }, 'application replaced by another of its name');
    }
    this.#seats.set(connection, node);
    node.join(connection);
    this.#options.log.info({ node: identity }, 'application is here');
  }

  /** A connection is gone. False when it spoke only for itself. */
  leave(connection: Speaker): boolean {
    const node = this.#seats.get(connection);
    if (!node) return connection.tags.some((tag) => identityPattern.test(tag));
    this.#seats.delete(connection);
    this.#options.switchboard.registrations.removeAll(node);
    node.leave();
    this.#options.log.info({ node: node.identity }, 'application is gone and waited for');
    return true;
  }

  /** A command that an application sent over its connection. */
  sender(connection: Speaker, command: string): Application {
    const node = this.#seats.get(connection);
    node?.expect(command);
    return node ?? connection;
  }

  /** The node of that name, which is waited for if it is not here. */
  named(name: string): Application | undefined {
    return identityPattern.test(name) ? this.#named(name) : undefined;
  }

  close(): void {
    for (const node of this.#nodes.values()) node.close();
    this.#nodes.clear();
    this.#seats.clear();
  }

  #named(identity: string): Node {
    const known = this.#nodes.get(identity);
    if (known) return known;
    const { clock, patience } = this.#options;
    const node = new Node({ identity, clock, patience, user: this.#userOf() });
    this.#nodes.set(identity, node);
    return node;
  }

  #userOf(): NodeUser {
    const { switchboard } = this.#options;
    let heldOfNode = 0;
    return {
      unansweredOf: (node) => switchboard.ledger.offersTo(node).map(({ request }) => request),
      answer: (request: InboundRequest, status) => switchboard.answer(request, status),
      takeRoom: () => {
        if (heldOfNode >= mostHeldOfNode || this.#heldCount >= mostHeld) return false;
        heldOfNode++;
        this.#heldCount++;
        return true;
      },
      giveRoom: (count) => {
        heldOfNode -= count;
        this.#heldCount -= count;
      },
      onAbsent: (node) => this.#onAbsent(node),
      onLost: (node) => this.#onLost(node),
    };
  }

  /** Calls that it began and that nobody would take any more. */
  #onAbsent(node: Node): void {
    const { ledger } = this.#options.switchboard;
    if (!node.hasWaiting && !ledger.isBusy(node)) {
      this.#forget(node);
      return;
    }
    this.#options.log.warn({ node: node.identity }, 'application did not come back in time');
    for (const transaction of ledger.sentBy(node)) {
      // Everything but an INVITE under way is refused.
      this.#userAgent?.cancel(transaction, []).catch(() => undefined);
    }
    for (const dialog of ledger.dialogsOf(node)) this.#each(dialog, 'forsake');
  }

  #onLost(node: Node): void {
    const { ledger } = this.#options.switchboard;
    const dialogs = ledger.dialogsOf(node);
    this.#options.log.warn(
      { node: node.identity, dialogs: dialogs.length },
      'application is lost: its calls end',
    );
    this.#forget(node);
    for (const dialog of dialogs) this.#each(dialog, 'endDialog');
  }

  #each(dialog: DialogId, act: 'forsake' | 'endDialog'): void {
    try {
      if (act === 'forsake') this.#userAgent?.forsake(dialog);
      else this.#userAgent?.endDialog(dialog, 'Application lost');
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'call without application stays');
    }
  }

  #forget(node: Node): void {
    node.close();
    this.#nodes.delete(node.identity);
  }
}
