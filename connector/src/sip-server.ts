#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { readTlsFiles, type TlsFiles, withTlsReload } from './app-tls.ts';
import { systemClock } from './base/clock.ts';
import { messageOf } from './base/errors.ts';
import { createLog, type Log } from './base/log.ts';
import { FlagError, type Flags, parseFlags, usage } from './drachtio/flags.ts';
import { secretProblem } from './drachtio/secret.ts';
import { type SipServer, startSipServer } from './drachtio/start.ts';
import { FileJournal } from './sip/journal/file-journal.ts';
import type { TlsProfiles } from './sip/transport/tls.ts';

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
  const journal = openJournal(flags.journal, log);
  const files: TlsFiles = { own: flags.tls, peers: [] };
  const first = readCertificates(files);
  const started = await startSipServer({
    listen: flags.listen,
    drachtio: { ...flags.drachtio, secret },
    ...(flags.admin && { admin: flags.admin }),
    ...(first.own && { tls: first.own }),
    ...(journal && { journal }),
    clock: systemClock,
    log,
  });
  const server = withTlsReload(started, { files, first, clock: systemClock, log });
  closeOnSignal(server, { log, journal });
  log.info({ drachtioPort: server.drachtioPort, listenPoints: server.listenPoints }, 'ready');
}

function openJournal(folder: string | undefined, log: Log): FileJournal | undefined {
  if (folder === undefined) return undefined;
  try {
    return FileJournal.open(folder, log);
  } catch (error) {
    throw new FlagError(`--journal: ${messageOf(error)}`);
  }
}

function closeOnSignal(
  server: SipServer,
  { log, journal }: { log: Log; journal: FileJournal | undefined },
): void {
  let isClosing = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isClosing) return;
      isClosing = true;
      log.info({ signal }, 'closing');
      // What ends only because the process does is not over for the next one.
      journal?.close();
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

const flagOfSetting: Readonly<Record<string, string>> = {
  certFile: '--tls-cert',
  keyFile: '--tls-key',
  caFile: '--tls-ca',
  clientCaFile: '--tls-client-ca',
};

function readCertificates(files: TlsFiles): TlsProfiles {
  try {
    return readTlsFiles(files);
  } catch (error) {
    const text = messageOf(error).replace(
      /^sip\.tls\.(\w+)/,
      (all, setting: string) => flagOfSetting[setting] ?? all,
    );
    throw new FlagError(text);
  }
}

function readFlagFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new FlagError(`${flag}: ${messageOf(error)}`);
  }
}
