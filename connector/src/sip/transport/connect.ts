import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { certificateFaultOf } from './certificate-fault.ts';
import { isWildcard } from './listen-point.ts';
import { refuseCertificate, type Shell } from './shell.ts';
import { clientOptions, type TlsProfiles } from './tls.ts';
import type { ListenPoint, Remote } from './transport.ts';
import { systemCodeOf, TransportError } from './transport-error.ts';

/** Opens a TCP or TLS connection from the address of `local`. Rejects within the connect timeout. */
export function connect(
  remote: Remote,
  local: ListenPoint,
  { shell, tls }: { shell: Shell; tls: TlsProfiles },
): Promise<Socket> {
  const where = {
    host: remote.address,
    port: remote.port,
    ...(!isWildcard(local.address) && { localAddress: local.address }),
  };
  const isTls = remote.protocol === 'tls';
  const socket = isTls
    ? connectTls({ ...where, ...clientOptions(tls, remote.serverName ?? remote.address) })
    : connectTcp(where);
  let isConnected = false;
  return new Promise((resolve, reject) => {
    const fail = (error: TransportError): void => {
      timer.cancel();
      socket.destroy();
      shell.counters.connectsFailed++;
      reject(error);
    };
    const timer = shell.clock.after(shell.limits.connectTimeout, () =>
      fail(new TransportError('CONNECT_TIMEOUT', `no ${remote.protocol} connection in time`)),
    );
    const onError = (error: Error): void => {
      const fault = isConnected ? certificateFaultOf(error) : undefined;
      if (fault) refuseCertificate(shell, fault, 'outbound');
      const code = isConnected ? 'TLS_FAILED' : 'CONNECT_FAILED';
      const text = `no ${remote.protocol} connection: ${systemCodeOf(error)}`;
      fail(new TransportError(code, text, { cause: error }));
    };
    // Errors after the outcome is known change nothing, but must not be unhandled.
    socket.on('error', () => undefined);
    socket.once('error', onError);
    socket.once('connect', () => {
      isConnected = true;
    });
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      timer.cancel();
      socket.off('error', onError);
      resolve(socket);
    });
  });
}
