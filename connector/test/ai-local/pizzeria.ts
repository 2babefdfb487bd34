import type { LocalOptions } from '../../src/ai/local/options.ts';
import { createLocalProvider } from '../../src/ai/local/provider.ts';
import type { Provider } from '../../src/ai/session.ts';
import { systemClock } from '../../src/base/clock.ts';
import { type Log, silentLog } from '../../src/base/log.ts';

const pizzeria: LocalOptions = {
  voice: 'slt',
  slots: {
    size: ['small', 'medium', 'large'],
    kind: ['cheese', 'mushroom', 'pepperoni', 'vegetable'],
  },
  intents: [
    {
      name: 'order',
      phrases: ['[I would like] [to order] a {size} {kind} pizza [please]'],
      reply: 'One {size} {kind} pizza. It will be ready in twenty minutes.',
    },
    {
      name: 'hours',
      phrases: ['what are your opening hours', 'when are you open'],
      reply:
        'We are open every day from noon until ten in the evening. On Sundays we close at eight. ' +
        'The kitchen takes its last order half an hour before we close.',
    },
    {
      name: 'status',
      phrases: ['(where is | what about) my order'],
      tool: { name: 'order_status', arguments: {} },
      reply: 'I have looked for it. {result}',
    },
    { name: 'goodbye', phrases: ['[no thank you] goodbye'], reply: 'Goodbye, and thank you.' },
  ],
  fallback: 'Sorry, I did not understand that. Could you say it again?',
  digits: { '1': 'hours' },
  endSilenceMs: 600,
  minConfidence: 0.85,
  pronunciations: {},
};

export function openPizzeria(change: Partial<LocalOptions> = {}, log: Log = silentLog): Provider {
  return createLocalProvider({
    options: { ...pizzeria, ...change },
    greeting: 'Good morning, Bella Pizza.',
    clock: systemClock,
    random: Math.random,
    log,
    workers: 2,
  });
}
