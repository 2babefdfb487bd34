import { parseParty } from './party.ts';

/** Names a dialog as its own side sees it (RFC 3261 §12). */
export interface DialogTags {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

/** A Replaces header as the side that it is sent to reads it (RFC 3891 §6.1). */
export interface Replaces extends DialogTags {
  readonly isEarlyOnly: boolean;
}

/** Undefined for what is no single Replaces value with both tags, each once. */
export function parseReplaces(value: string): Replaces | undefined {
  if (value.includes(',')) return undefined;
  const [callId = '', ...parameters] = value.split(';').map((text) => text.trim());
  const pairs = parameters.map(pairOf);
  const valuesOf = (wanted: string) => pairs.filter(([name]) => name === wanted);
  const [toTag, ...moreToTags] = valuesOf('to-tag');
  const [fromTag, ...moreFromTags] = valuesOf('from-tag');
  const isClear = moreToTags.length === 0 && moreFromTags.length === 0;
  if (callId === '' || /\s/.test(callId) || !toTag?.[1] || !fromTag?.[1] || !isClear) {
    return undefined;
  }
  return {
    callId,
    localTag: toTag[1],
    remoteTag: fromTag[1],
    isEarlyOnly: valuesOf('early-only').length > 0,
  };
}

function pairOf(parameter: string): readonly [name: string, value: string] {
  const [name = '', value = ''] = parameter.split('=').map((text) => text.trim());
  return [name.toLowerCase(), value];
}

/** Refer-To URI that has its target replace the dialog that we have with it (RFC 5589 §7, RFC 3891 §3). */
export function withReplaces(target: string, { callId, localTag, remoteTag }: DialogTags): string {
  // The other side reads it: what is remote to us is its own.
  const value = `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
  return `${target}${target.includes('?') ? '&' : '?'}Replaces=${encodeURIComponent(value)}`;
}

/** Whether two names mean the same dialog. */
export function isSameDialog(one: DialogTags, other: DialogTags): boolean {
  return (
    one.callId === other.callId &&
    one.localTag === other.localTag &&
    one.remoteTag === other.remoteTag
  );
}

/** Tags of the side that received `message`, when it was a request of the peer's. */
export function tagsOfReceived(message: { header(name: string): string | undefined }): DialogTags {
  return {
    callId: message.header('call-id') ?? '',
    localTag: parseParty(message.header('to') ?? '').tag,
    remoteTag: parseParty(message.header('from') ?? '').tag,
  };
}

/** Tags of the side that sent the request which `reply` answers. */
export function tagsOfReply(reply: { header(name: string): string | undefined }): DialogTags {
  const { callId, localTag, remoteTag } = tagsOfReceived(reply);
  return { callId, localTag: remoteTag, remoteTag: localTag };
}
