/** Opens a session, uses every engine, closes all; the process must end by itself. */
import { Caller } from './caller.ts';
import { openPizzeria } from './pizzeria.ts';

const provider = openPizzeria();
const caller = new Caller();
await caller.call(provider);
await caller.say('goodbye');
await caller.until(() => caller.of('reply-ended').length === 1);
await caller.hangUp();
await provider.close();
process.stdout.write('closed\n');
