import type { ListenPoint, Received, Remote } from '../transport/transport.ts';
import type { Trace } from '../user-agent.ts';

/** How a message came in. */
export function traceOfReceived({ remote, sizeBytes }: Received, time: number): Trace {
  const { protocol, address, port } = remote;
  return { source: 'network', sizeBytes, protocol, address, port, time };
}

/** How a response went out: the peer it went to. */
export function traceOfResponse(bytes: Buffer, remote: Remote, time: number): Trace {
  const { protocol, address, port } = remote;
  return { source: 'application', sizeBytes: bytes.length, protocol, address, port, time };
}

/** How a request went out: the local end it left from. */
export function traceOfRequest(bytes: Buffer, local: ListenPoint, time: number): Trace {
  const { protocol, address, port } = local;
  return { source: 'application', sizeBytes: bytes.length, protocol, address, port, time };
}

/** A response that the stack made up. */
export function traceOfStack(time: number): Trace {
  return { source: 'network', sizeBytes: 0, protocol: '', address: '', port: 0, time };
}
