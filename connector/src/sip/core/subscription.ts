import { type HasHeaders, header } from '../message/headers.ts';
import { parseDeltaSeconds } from '../message/session-expires.ts';
import { transactionTimeout } from '../transaction/timers.ts';
import type { Core } from './core.ts';
import type { LiveDialog } from './live-dialog.ts';

/** RFC 6665 leaves it to the event package; most say an hour. */
const usualExpiresSeconds = 3600;

/** Ends the dialog of a subscription that nobody refreshed or ended, some time after it ran out. */
export function keepSubscription(
  core: Core,
  live: LiveDialog,
  { request, response }: { request: HasHeaders; response: HasHeaders },
): void {
  const seconds =
    parseDeltaSeconds(header(response, 'expires') ?? '') ??
    parseDeltaSeconds(header(request, 'expires') ?? '') ??
    usualExpiresSeconds;
  // A day at most: a longer one is refreshed or was forgotten.
  const expires = Math.min(seconds, 86_400) * 1000;
  const delay = expires + transactionTimeout(core.timers);
  live.timers.start('subscription', delay, () => core.dialogs.end(live));
}
