import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { type Log } from '../../base/log.ts';
import { type HasHeaders, headers, withTopValue } from '../message/headers.ts';
import type { ParseError } from '../message/parse-error.ts';
import { formatVia, parseVia, withSource } from '../message/via.ts';
import type { CertificateFault } from './certificate-fault.ts';
import type { Counters } from './stats.ts';
import type { ListenPoint, Received, Remote, TransportUser } from './transport.ts';
import type { TransportLimits } from './transport-limits.ts';

/** What all sockets of a transport share. */
export interface Shell {
  readonly limits: TransportLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly user: TransportUser;
}

/** Hands a message to the layer above, with its source in the top Via if it is a request. */
export function deliver(shell: Shell, received: Received): void {
  shell.counters.received[received.remote.protocol]++;
  const { message: given, remote } = received;
  const message = given.kind === 'request' ? markSource(given, remote) : given;
  guard(shell, () => shell.user.onMessage({ ...received, message }));
}

/** Counts what the parser refused and, where it may be answered, tells the layer above. */
export function deliverError(
  shell: Shell,
  error: ParseError,
  path: { remote: Remote; local: ListenPoint },
): void {
  shell.counters.malformed++;
  shell.log.debug({ problem: error.problem, protocol: path.remote.protocol }, 'message refused');
  if (error.status === undefined) return;
  const marked = markSource(error, path.remote);
  guard(shell, () => shell.user.onMalformed?.(marked, path.remote, path.local));
}

/** Counts a peer whose certificate is no good, and says why. */
export function refuseCertificate(
  { counters, log }: Shell,
  fault: CertificateFault,
  direction: 'inbound' | 'outbound',
): void {
  counters.certificatesRefused[fault]++;
  // Whoever likes can connect to us; a peer that we call is one that people want to reach.
  log[direction === 'inbound' ? 'info' : 'warn'](
    { reason: fault, direction },
    "a peer's certificate is refused",
  );
}

/** §18.2.1 and RFC 3581 §4, with rport whether the client asked for it or not. */
export function markSource<M extends HasHeaders>(message: M, remote: Remote): M {
  const via = parseVia(headers(message, 'via')[0] ?? '');
  if (!via) return message;
  return withTopValue(message, 'via', formatVia(withSource(via, remote.address, remote.port)));
}

/** A fault of the layer above must not end the process from within a socket's event. */
function guard(shell: Shell, task: () => void): void {
  try {
    task();
  } catch (error) {
    shell.log.error({ error: messageOf(error) }, 'the user of the transport has thrown');
  }
}
