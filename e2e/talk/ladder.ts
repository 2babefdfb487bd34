import { header, methodOf, statusOf } from '../phone/message.ts';
import type { Trace } from '../phone/signalling.ts';
import type { Screen } from './screen.ts';

/** Shows the SIP messages of the caller's phone, as a ladder diagram does. */
export function showLadder(
  screen: Screen,
  { direction, peerPort, message }: Trace,
  kitchenPort: number,
) {
  const peer = peerPort === kitchenPort ? 'kitchen' : 'Parley';
  const arrow = direction === 'sent' ? `caller --> ${peer}` : `caller <-- ${peer}`;
  const status = statusOf(message);
  if (status === undefined) screen.sip(arrow, requestText(message.startLine, message.body));
  else {
    const text = message.startLine.replace('SIP/2.0 ', '');
    screen.sip(arrow, `${text} (${methodOf(message)})`);
  }

  function requestText(startLine: string, body: string): string {
    const text = startLine.replace(' SIP/2.0', '');
    const method = methodOf(message);
    if (method === 'REFER') return `${text}  Refer-To: ${header(message, 'Refer-To')}`;
    return method === 'NOTIFY' ? `${text}  ${body.trim()}` : text;
  }
}
