import { expect, test } from 'vitest';
import { FakeClock } from '../test/support/fake-clock.ts';
import { LiveConfig } from './app-live.ts';
import { createOverride } from './app-override.ts';
import { silentLog } from './base/log.ts';
import { type Config, parseConfig } from './config.ts';
import type { OverrideOutcome } from './override/outcome.ts';

const auth = { realm: 'parley', users: [{ name: 'ann', passwordEnv: 'ANN' }] };

function configOf(sip: object, override?: object): Config {
  const agent = { name: 'pizza', providers: [{ openai: {} }] };
  const result = parseConfig(JSON.stringify({ sip, agent, override }), {
    env: { OPENAI_API_KEY: 'key', ANN: 'secret' },
    readFile: () => '',
    addresses: [],
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

const header = () => '{"greeting":"Hi."}';

/** What becomes of a greeting in a header; `started`: the configuration before the reload. */
async function headed(started: object, now: object) {
  const live = new LiveConfig(configOf(started));
  const config = configOf(now, { header: {} });
  live.use(config);
  const outcomes: OverrideOutcome[] = [];
  const greetings: (string | undefined)[] = [];
  const override = createOverride(config, {
    live,
    clock: new FakeClock(),
    log: silentLog,
    own: ({ agent }) => {
      greetings.push(agent.greeting);
      return {
        agent,
        providers: [],
        speaker: undefined,
        destinations: [],
        release: () => undefined,
      };
    },
    onOverride: (outcome) => void outcomes.push(outcome),
  });
  const { signal } = new AbortController();
  const { agents } = config;
  const chosen = { agent: agents[0]?.agent } as Parameters<NonNullable<typeof override>>[1];
  await override?.(
    { id: '1', dialledUser: 'x', sourceAddress: '192.0.2.1', header, signal },
    chosen,
  );
  return { outcomes: outcomes.map(({ outcome }) => outcome), greetings };
}

const elsewhere = { sourceRanges: ['198.51.100.0/24'] };
const here = { sourceRanges: ['192.0.2.0/24'] };

test.each([
  { who: 'another source', started: {}, now: elsewhere, want: 'refused' },
  { who: 'a source that is listed', started: {}, now: here, want: 'ok' },
  { who: 'an authenticated caller', started: { auth }, now: { auth }, want: 'ok' },
  {
    who: 'anybody before the restart that a digest needs',
    started: {},
    now: { auth },
    want: 'refused',
  },
])('the header of $who is $want', async ({ started, now, want }) => {
  const greetings = want === 'ok' ? ['Hi.'] : [];
  expect(await headed(started, now)).toEqual({ outcomes: [want], greetings });
});
