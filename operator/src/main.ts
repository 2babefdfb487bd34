#!/usr/bin/env node
import { systemClock } from '@parley/connector/base/clock';
import { messageOf } from '@parley/connector/base/errors';
import { createLog } from '@parley/connector/base/log';
import { startApp } from './app.ts';
import { readConfig } from './config.ts';

/** Starts the operator and ends it on SIGTERM or Ctrl-C; a second signal does not wait. */
async function main(): Promise<void> {
  const config = readConfig();
  const log = createLog({ level: config.logLevel });
  const app = await startApp({
    config,
    clock: systemClock,
    random: Math.random,
    log,
    // Nothing may be written any more, and what is under way cannot be called back.
    onLost: () => process.exit(1),
  });
  log.info({ port: app.port }, 'the operator runs');
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      process.once(signal, () => process.exit(1));
      log.info({ signal }, 'the operator ends');
      void app.stop().then(() => log.info({}, 'the operator has ended'));
    });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
