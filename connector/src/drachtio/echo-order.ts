/**
 * Keeps what the network says about a call behind the echo of the command it may answer: clients know a
 * transaction or a dialog only from the echo (`drachtio-protocol.md` 12.14).
 */
export class EchoOrder {
  readonly #holds = new Map<string, { commands: number; readonly waiting: (() => void)[] }>();

  /** A command about that call is being carried out. The result ends the hold, once. */
  hold(callId: string): () => void {
    const held = this.#holds.get(callId) ?? { commands: 0, waiting: [] };
    held.commands++;
    this.#holds.set(callId, held);
    return () => {
      held.commands--;
      if (held.commands > 0) return;
      this.#holds.delete(callId);
      for (const task of held.waiting) task();
    };
  }

  /** Runs the task now, or in its turn when no command about that call is under way any more. */
  run(callId: string, task: () => void): void {
    const held = this.#holds.get(callId);
    if (held) held.waiting.push(task);
    else task();
  }
}
