import type { SentResponse, ServerTransaction } from '../transaction/server-transaction.ts';
import { Refusal, type Sent, type TransactionId } from '../user-agent.ts';
import type { Core } from './core.ts';
import { traceOfResponse } from './trace.ts';

/** How long the application may leave a request without any response. */
export const answerTimeout = 64_000;

/** The echo of a response. Throws `Refusal` when a stream's peer is gone. */
export async function sentOf(
  core: Core,
  { id, server }: { id: TransactionId; server: ServerTransaction },
  { dialog, sent }: { dialog: string; sent: SentResponse },
): Promise<Sent> {
  const { bytes, done } = sent;
  // A datagram is gone at once; waiting for it would let others pass the echo.
  if (server.remote.protocol === 'udp') done.catch(() => undefined);
  else await delivered(done);
  const trace = traceOfResponse(bytes, server.remote, core.clock.wall());
  return { transaction: id, dialog, text: bytes, trace };
}

async function delivered(done: Promise<void>): Promise<void> {
  try {
    await done;
  } catch {
    throw new Refusal('transport for response has been shutdown or closed');
  }
}
