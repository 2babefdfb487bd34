#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { systemClock } from './base/clock.ts';
import { messageOf } from './base/errors.ts';
import { createLog, type Log } from './base/log.ts';
import { FlagError, type Flags, parseFlags, usage } from './drachtio/flags.ts';
import { secretProblem } from './drachtio/secret.ts';
import { type SipServer, startSipServer } from './drachtio/start.ts';
import type { TlsSettings } from './sip/transport/tls.ts';

/**
 * The SIP server as a program of its own: SIP on one side, applications of the drachtio protocol on the
 * other. Exit codes: 0 after SIGTERM or SIGINT, 1 when it cannot start, 2 for a wrong command line.
 */

try {
  const flags = parseFlags(process.argv.slice(2));
  if (flags === 'help') process.stdout.write(usage);
  else await run(flags);
} catch (error) {
  process.stderr.write(`sip-server: ${messageOf(error)}\n`);
  process.exitCode = error instanceof FlagError ? 2 : 1;
}

async function run(flags: Flags): Promise<void> {
  const secret = readFlagFile('--secret-file', flags.secretFile).trim();
  const problem = secretProblem(secret, flags.drachtio.address);
  if (problem !== undefined) throw new FlagError(`--secret-file: ${problem}`);
  const log = createLog({ level: flags.logLevel });
  const tls = flags.tls && readTls(flags.tls);
  const server = await startSipServer({
    listen: flags.listen,
    drachtio: { ...flags.drachtio, secret },
    ...(tls && { tls }),
    clock: systemClock,
    log,
  });
  closeOnSignal(server, log);
  log.info({ drachtioPort: server.drachtioPort, listenPoints: server.listenPoints }, 'ready');
}

function closeOnSignal(server: SipServer, log: Log): void {
  let isClosing = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isClosing) return;
      isClosing = true;
      log.info({ signal }, 'closing');
      server.close().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ error: messageOf(error) }, 'closing failed');
          process.exit(1);
        },
      );
    });
  }
}

function readTls(files: NonNullable<Flags['tls']>): TlsSettings {
  return {
    cert: readFlagFile('--tls-cert', files.certFile),
    key: readFlagFile('--tls-key', files.keyFile),
    ...(files.caFile !== undefined && { ca: readFlagFile('--tls-ca', files.caFile) }),
  };
}

function readFlagFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new FlagError(`${flag}: ${messageOf(error)}`);
  }
}
