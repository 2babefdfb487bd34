import { expect, test } from 'vitest';
import type { Dialog } from './client.ts';
import { fastClock } from './fast-clock.ts';
import { nextRequest, type Site, sdp, startSite } from './site.ts';

// 35 minutes pass in 70 s; a transaction still has a second before it is given up.
const factor = 30;
const length = (35 * 60_000) / factor;

/** A call with session timer between two servers; counts the refreshes that each side's application saw. */
async function call(near: Site, far: Site, refresher: 'uac' | 'uas') {
  const coming = nextRequest(far, 'invite');
  const calling = near.srf.createUAC(`sip:far@${far.address}`, {
    localSdp: sdp('near'),
    headers: { Supported: 'timer', 'Session-Expires': `300;refresher=${refresher}` },
  });
  const [request, response] = await coming;
  const uas = await far.srf.createUAS(request, response, { localSdp: sdp('far') });
  const uac = await calling;
  const seen = { refreshes: 0, ends: 0 };
  for (const dialog of [uac, uas] satisfies Dialog[]) {
    dialog.on('refresh', () => {
      seen.refreshes += 1;
    });
    dialog.on('destroy', () => {
      seen.ends += 1;
    });
  }
  return { uac, uas, seen };
}

test('calls of 35 minutes go on, whichever side refreshes the session', {
  timeout: length + 60_000,
}, async () => {
  const clock = fastClock(factor);
  const [near, far] = [await startSite({ clock }), await startSite({ clock })];
  try {
    const calls = [await call(near, far, 'uac'), await call(near, far, 'uas')];
    await new Promise((done) => setTimeout(done, length));
    for (const { uac, uas, seen } of calls) {
      expect(seen.ends).toBe(0);
      // Every 150 s: without them both would have ended after 5 minutes.
      expect(seen.refreshes).toBeGreaterThanOrEqual(6);
      await uac.destroy();
      expect(uas.connected || uac.connected).toBe(false);
    }
  } finally {
    await Promise.all([near.close(), far.close()]);
  }
});
