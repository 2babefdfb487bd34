/** `make talk`: a scripted telephone calls the connector and talks with the offline AI, shown live. */
import { join } from 'node:path';
import type { Call } from '../phone/call.ts';
import { Phone } from '../phone/phone.ts';
import { createPerson } from '../phone/voice.ts';
import { Connector, root } from './connector.ts';
import { showLadder } from './ladder.ts';
import { Screen } from './screen.ts';
import { heardPhrases, lines, type Measured, play } from './script.ts';

/** The whole run; it takes about 60 s. */
const timeLimit = 85_000;

const isColoured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const screen = new Screen((text) => process.stdout.write(text), isColoured);

process.exitCode = await main();

async function main(): Promise<number> {
  const kitchenCalls: Call[] = [];
  const kitchen = await Phone.open({
    user: 'kitchen',
    onCall(call) {
      kitchenCalls.push(call);
      call.ring();
      call.answer();
    },
  });
  const kitchenPort = Number(kitchen.uri.split(':').at(-1));
  const phone = await Phone.open({
    user: 'caller',
    onTrace: (trace) => showLadder(screen, trace, kitchenPort),
  });
  const connector = new Connector({ kitchenPort });
  const caller = createPerson({ voice: 'rms', phrases: heardPhrases });
  const cook = createPerson({ voice: 'awb', phrases: ['goodbye'] });
  let step = 'the connector gets ready';
  const interrupted = Promise.withResolvers<never>();
  const limit = setTimeout(
    () => interrupted.reject(new Error(`the whole run took longer than ${timeLimit / 1000} s`)),
    timeLimit,
  );
  process.once('SIGINT', () => interrupted.reject(new Error('interrupted')));
  try {
    screen.plain('Starting the connector on examples/pizza.yaml, and two telephones.');
    const rehearsals = [
      ...Object.values(lines).map((line) => caller.rehearse(line)),
      cook.rehearse(lines.cook),
    ];
    await Promise.race([Promise.all([connector.ready(), ...rehearsals]), interrupted.promise]);
    const onStep = (next: string) => {
      step = next;
    };
    const cast = { screen, onStep, connector, phone, caller, cook, kitchenCalls };
    report(await Promise.race([play(cast), interrupted.promise]));
    return 0;
  } catch (error) {
    screen.failure(step, error instanceof Error ? error.message : String(error));
    screen.plain(`\nThe connector's last words:\n${connector.log.join('\n')}`);
    return 1;
  } finally {
    clearTimeout(limit);
    await Promise.all([phone.close(), kitchen.close(), caller.close(), cook.close()]);
    await connector.close();
  }
}

function report({ setUp, firstAudio, bargeIn, latencies, recordings }: Measured): void {
  const sorted = latencies.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  screen.title('Measured by the telephone');
  screen.figure('INVITE to 200 OK', `${setUp.toFixed(0)} ms`);
  screen.figure('200 OK to the first sound of the greeting', `${firstAudio.toFixed(0)} ms`);
  screen.figure('caller speaks over the AI, to silence', `${bargeIn.toFixed(0)} ms`);
  screen.figure('end of the caller to the answer, median', `${median.toFixed(0)} ms`);
  screen.plain('  (of which 600 ms are the silence that ends a turn, endSilenceMs)');
  for (const id of recordings)
    screen.figure('recording, caller left and AI right', join(root, 'recordings', `${id}.wav`));
  screen.success('Every word was understood at both ends.');
}
