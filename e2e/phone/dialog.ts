import { header, headers, parameterOf, type SipMessage, uriOf } from './message.ts';

/** The state of a SIP dialog (RFC 3261 §12); `local` and `remote` are header values with their tags. */
export interface Dialog {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  /** Where requests go. */
  readonly remoteTarget: string;
  readonly routes: readonly string[];
}

/** The dialog that a 2xx (or 18x with a tag) makes for who called (§12.1.2). */
export function dialogOfResponse(response: SipMessage): Dialog {
  return {
    callId: header(response, 'Call-ID'),
    local: header(response, 'From'),
    remote: header(response, 'To'),
    remoteTarget: uriOf(header(response, 'Contact')),
    routes: routesOf(response).toReversed(),
  };
}

/** The dialog that an INVITE makes for who is called (§12.1.1). */
export function dialogOfRequest(request: SipMessage, tag: string): Dialog {
  return {
    callId: header(request, 'Call-ID'),
    local: `${header(request, 'To')};tag=${tag}`,
    remote: header(request, 'From'),
    remoteTarget: uriOf(header(request, 'Contact')),
    routes: routesOf(request),
  };
}

export function tagOf(value: string): string {
  return parameterOf(value, 'tag');
}

function routesOf(message: SipMessage): string[] {
  return headers(message, 'Record-Route').flatMap((value) => value.split(/,(?=\s*<)/));
}
