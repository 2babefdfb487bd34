import { crc32 } from 'node:zlib';

/** First bytes of a journal; the digit is the version of what follows. */
const magic = Buffer.from('PARLEYJ1');
/** Length and checksum of a record, 32 bits each. */
const headBytes = 8;
/** A SIP message is at most 64 KiB, and a record holds few of them. */
const largestRecordBytes = 1024 * 1024;

/** What a journal says. `goodBytes`: up to there it is whole; a torn record after that does not count. */
export type Reading =
  | { readonly kind: 'journal'; readonly values: Map<string, unknown>; readonly goodBytes: number }
  | { readonly kind: 'foreign'; readonly problem: string };

export function fileHead(): Buffer {
  return magic;
}

/** One change: a value for a key, or without a value its removal. */
export function encodeRecord(key: string, value?: unknown): Buffer {
  const payload = Buffer.from(JSON.stringify(value === undefined ? [key] : [key, value]), 'utf8');
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt32BE(payload.length, 0);
  head.writeUInt32BE(crc32(payload), 4);
  return Buffer.concat([head, payload]);
}

/** Reads as far as the records are whole: a killed process leaves at most its last one torn. */
export function readJournal(bytes: Buffer): Reading {
  const head = bytes.subarray(0, magic.length);
  if (!head.equals(magic.subarray(0, head.length))) {
    const isOfUs = head.subarray(0, magic.length - 1).equals(magic.subarray(0, magic.length - 1));
    return { kind: 'foreign', problem: isOfUs ? 'it is of another version' : 'it is no journal' };
  }
  const values = new Map<string, unknown>();
  let at = head.length;
  for (let payload = recordAt(bytes, at); payload; payload = recordAt(bytes, at)) {
    const change = changeOf(payload);
    if (!change) break;
    if (change.value === undefined) values.delete(change.key);
    else values.set(change.key, change.value);
    at += headBytes + payload.length;
  }
  return { kind: 'journal', values, goodBytes: at };
}

function recordAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at + headBytes > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at);
  const start = at + headBytes;
  if (length > largestRecordBytes || start + length > bytes.length) return undefined;
  const payload = bytes.subarray(start, start + length);
  return crc32(payload) === bytes.readUInt32BE(at + 4) ? payload : undefined;
}

function changeOf(payload: Buffer): { key: string; value: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(payload.toString('utf8'));
    if (!Array.isArray(parsed) || typeof parsed[0] !== 'string') return undefined;
    return { key: parsed[0], value: parsed[1] };
  } catch {
    return undefined;
  }
}
