import type { Notice } from './notify.ts';
import type { Reply } from './reply.ts';

/** One connected, authenticated application, as what decides about calls sees it. */
export interface Application {
  readonly tags: readonly string[];
  /** The name under which it comes back to its dialogs; absent where they end with the connection. */
  readonly identity?: string;
  /** False once it is gone for good; what is sent after that goes nowhere. */
  readonly isOpen: boolean;
  notify(notice: Notice): void;
  /** Answers the command of that id. */
  reply(command: string, reply: Reply): void;
}
