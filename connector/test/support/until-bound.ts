import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect } from 'vitest';

/** Waits for sipp: a request to a port that nobody has is refused at once. */
export async function untilBound(port: number): Promise<void> {
  const isBound = async () => {
    const socket = createSocket('udp4');
    try {
      socket.bind(port, '127.0.0.1');
      await once(socket, 'listening');
      return false;
    } catch {
      return true;
    } finally {
      socket.close();
    }
  };
  await expect.poll(isBound, { timeout: 5000, interval: 50 }).toBe(true);
}
