import type { Header } from '../sip/message/message.ts';
import type { TransactionId } from '../sip/user-agent.ts';
import { parseSipText } from './draft.ts';

/** Forward a request to one or more targets instead of answering it. */
export interface ProxyOrder {
  readonly kind: 'proxy';
  readonly transaction: TransactionId;
  /** SIP URIs, in order. */
  readonly targets: readonly string[];
  /** Added to what is forwarded. */
  readonly headers: readonly Header[];
  readonly options: ProxyOptions;
}

interface ProxyOptions {
  /** Record-Route (REGISTER: Path), so that later requests come this way. */
  readonly remainInDialog: boolean;
  /** The application wants every final response of a target. */
  readonly fullResponse: boolean;
  readonly followRedirects: boolean;
  readonly isSimultaneous: boolean;
  /** After so long without any response of a target the next is tried. */
  readonly provisionalTimeout?: number;
}

/**
 * Reads the fields behind `proxy` (`drachtio-protocol.md` 9); undefined when there are too few. The final
 * timeout is read over, as in the reference.
 */
export function parseProxyCommand(fields: readonly string[], text: Buffer): ProxyOrder | undefined {
  const [transaction, remain, full, follow, forking, provisional, , ...targets] = fields;
  if (!transaction || provisional === undefined || targets.filter(Boolean).length === 0) {
    return undefined;
  }
  const provisionalTimeout = parseDuration(provisional);
  return {
    kind: 'proxy',
    transaction,
    targets: targets.filter(Boolean),
    headers: parseSipText(text).headers,
    options: {
      remainInDialog: remain === 'remainInDialog',
      fullResponse: full === 'fullResponse',
      followRedirects: follow === 'followRedirects',
      isSimultaneous: forking === 'simultaneous',
      ...(provisionalTimeout !== undefined && { provisionalTimeout }),
    },
  };
}

/** `1500ms` or `2s`. */
function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})(ms|s)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * (unit === 's' ? 1000 : 1);
}
