import type { SipRequest } from '../message/message.ts';
import { serialize } from '../message/serialize.ts';
import type { ListenPoint, Received, Remote } from '../transport/transport.ts';
import type { ServerTransaction } from './server-transaction.ts';

/** A server transaction in the journal. Messages are their bytes as latin1. */
export interface ServerRecord {
  readonly request: string;
  readonly remote: Remote;
  readonly local: ListenPoint;
  readonly sizeBytes: number;
  readonly last?: { readonly status: number; readonly text: string };
  readonly id?: string;
  readonly dialog?: string;
  readonly toTag?: string;
  readonly isAnswered?: boolean;
  readonly owner?: string;
}

const prefix = 'server ';

export function isServerRecordKey(key: string): boolean {
  return key.startsWith(prefix);
}

export function serverRecordKey(key: string): string {
  return `${prefix}${key}`;
}

export function serverRecord(
  { request, user }: ServerTransaction,
  of: { received: Received; last: { status: number; bytes: Buffer } | undefined },
): ServerRecord {
  const { id, dialog, toTag, isAnswered, owner } = user;
  const { remote, local, sizeBytes } = of.received;
  return {
    request: textOf(request),
    remote: portable(remote),
    local,
    sizeBytes,
    ...(of.last && { last: { status: of.last.status, text: of.last.bytes.toString('latin1') } }),
    ...(id !== undefined && { id }),
    ...(dialog !== undefined && { dialog }),
    ...(toTag !== undefined && { toTag }),
    ...(isAnswered !== undefined && { isAnswered }),
    ...(owner !== undefined && { owner }),
  };
}

export function textOf(request: SipRequest): string {
  return serialize(request).toString('latin1');
}

/** The name of a connection means nothing to another process. */
export function portable(remote: Remote): Remote {
  const { connection: _, ...rest } = remote;
  return rest;
}
