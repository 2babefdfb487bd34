import type { X509Certificate } from 'node:crypto';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { judgePeer } from './peer-certificate.ts';

/** The socket of a client whose certificate cannot be read. */
class OddSocket extends TLSSocket {
  override getPeerX509Certificate(): X509Certificate {
    throw new Error('wrong tag');
  }
}

test('a certificate that cannot be read is a fault and no exception', () => {
  const socket = new OddSocket(new Socket());
  expect(judgePeer(socket, '')).toEqual({ kind: 'fault', fault: 'other' });
  socket.destroy();
});
