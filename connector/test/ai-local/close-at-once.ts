/** Makes a provider and closes it while its engines are still loading; the process must end in peace. */
import { openPizzeria } from './pizzeria.ts';

await openPizzeria().close();
process.stdout.write('closed\n');
