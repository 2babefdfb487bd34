import type { Notice } from './notify.ts';
import type { Reply } from './reply.ts';

/** One connected, authenticated application, as what decides about calls sees it. */
export interface Application {
  readonly tags: readonly string[];
  /** False once the connection is gone; what is sent after that goes nowhere. */
  readonly isOpen: boolean;
  notify(notice: Notice): void;
  /** Answers the command of that id. */
  reply(command: string, reply: Reply): void;
}
