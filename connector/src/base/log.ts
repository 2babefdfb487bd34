import { pino } from 'pino';

/**
 * Structured log. Message text and fields never hold numbers, URIs, transcripts, digits or keys;
 * what is personal goes under the single field `pii`, which is redacted unless configured.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard output; `level` (a LogLevel) can be changed, also for children made later. */
export function createLog(options: {
  level: LogLevel;
  showPersonalData?: boolean;
}): Log & { level: string } {
  return pino({
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    ...(options.showPersonalData ? {} : { redact: ['pii'] }),
  });
}

/** Says nothing; for tests and tools. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
