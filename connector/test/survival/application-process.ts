import { createInterface } from 'node:readline';
import { connected, createSrf, type Handler, type Request } from '../drachtio/client.ts';
import { sdp } from '../drachtio/site.ts';
import type { Order, Told } from './application.ts';

/** The program of `Application`: knows nothing of earlier calls, answers all that it is given. */

const [port = '', secret = '', ...tags] = process.argv.slice(2);
const srf = createSrf(tags);
let isMute = false;

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

const bodyOf = (method: string) =>
  method === 'INVITE'
    ? { headers: { 'Content-Type': 'application/sdp' }, body: sdp('app') }
    : undefined;

const handle: Handler = (request, response) => {
  const { method, stackDialogId: dialog, stackTxnId: transaction } = request;
  tell({ what: method, dialog, transaction });
  if (!isMute && transaction !== 'unsolicited') response.send(200, bodyOf(method) ?? {});
};

for (const verb of ['invite', 'info', 'bye', 'message']) srf.use(verb, handle);

function onSent(error: unknown, request?: Request): void {
  if (error || !request) throw new Error('the INVITE was refused', { cause: error });
  request.on('response', (response, ack) => {
    if (response.status < 200) return;
    if (response.status < 300) ack();
    const { stackDialogId: dialog, stackTxnId: transaction } = response;
    tell({ what: String(response.status), dialog, transaction });
  });
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line) as Order;
  if (order.kind === 'mute') isMute = true;
  else if (order.kind === 'call') {
    // A promise would be late for a response in the same packet.
    srf.request(order.uri, { method: 'INVITE', ...bodyOf('INVITE') }, onSent);
  }
});
process.stdin.on('end', () => process.exit());

await connected(srf, Number(port), secret);
tell({ what: 'connected', dialog: '', transaction: '' });
srf.on('connect', () => tell({ what: 'connected', dialog: '', transaction: '' }));
