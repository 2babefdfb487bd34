import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../sip-transport/certificates.ts';
import { openSession, stageWith } from './stage.ts';

async function secureStage(names: readonly string[]) {
  const certificate = makeCertificate(names);
  const stage = await stageWith({ tls: certificate });
  onTestFinished(() => stage.close());
  return { ...stage, ca: certificate.ca };
}

/** As NODE_EXTRA_CA_CERTS does, for the rest of the test. */
function trust(ca: string): void {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, ca]);
  onTestFinished(() => setDefaultCACertificates(before));
}

test('over TLS, as in production, a session opens when the certificate is trusted', async () => {
  const { provider, simulator, ca } = await secureStage(['IP:127.0.0.1']);
  trust(ca);
  const { session } = await openSession(provider);
  expect(simulator.session.receivedTypes).toEqual(['session.update']);
  session.close();
});

test('ten seconds of words that had to wait arrive whole, and those after them', async () => {
  const { provider, simulator, ca } = await secureStage(['IP:127.0.0.1']);
  trust(ca);
  const { session, events } = await openSession(provider);
  const frame = Buffer.alloc(160, 0xff);
  for (let count = 0; count < 501; count++) session.appendAudio(frame);
  const received = () => simulator.session.receivedAudioBytes;
  await expect.poll(received, { timeout: 5000, interval: 5 }).toBe(501 * 160);
  expect(events.filter(({ type }) => type === 'fault')).toEqual([]);
  session.close();
});

test('a certificate of an unknown authority is refused before the key is sent', async () => {
  const { provider, simulator } = await secureStage(['IP:127.0.0.1']);
  await expect(openSession(provider)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  expect(simulator.upgrades).toEqual([]);
});

test('a certificate for another name is refused before the key is sent', async () => {
  const { provider, simulator, ca } = await secureStage(['DNS:other.example']);
  trust(ca);
  await expect(openSession(provider)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  expect(simulator.upgrades).toEqual([]);
});
