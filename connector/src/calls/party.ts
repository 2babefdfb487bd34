/** A From or To value taken apart as far as calls need it (RFC 3261 §20.20); all of it is personal data. */
export interface Party {
  readonly uri: string;
  /** User part, percent-decoded; the number of a tel URI; empty where there is none. */
  readonly user: string;
  readonly displayName: string;
  readonly tag: string;
}

/** Never throws; what cannot be read is empty. */
export function parseParty(value: string): Party {
  const bracketed = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^"<]*?))\s*<([^>]*)>(.*)$/s.exec(value);
  const [uri, parameters] = bracketed
    ? [bracketed[3] ?? '', bracketed[4] ?? '']
    : splitBare(value.trim());
  return {
    uri,
    user: userOf(uri),
    displayName: (bracketed?.[1]?.replaceAll(/\\(.)/g, '$1') ?? bracketed?.[2] ?? '').trim(),
    tag: /;\s*tag\s*=\s*([^;\s,]+)/i.exec(parameters)?.[1] ?? '',
  };
}

/** Without brackets, all parameters are the header's (§20). */
function splitBare(text: string): [string, string] {
  const at = text.indexOf(';');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}

/** User part of a sip, sips or tel URI without its parameters and password. */
export function userOf(uri: string): string {
  const tel = /^tel:([^;]*)/i.exec(uri)?.[1];
  const user = tel ?? /^sips?:([^@]*)@/i.exec(uri)?.[1]?.split(/[;:]/)[0] ?? '';
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}

/** A URI as name-addr, with what would end the brackets escaped. */
export function nameAddrOf(uri: string): string {
  return `<${uri.replaceAll(/[<>"\s]/g, (letter) => encodeURIComponent(letter))}>`;
}
