import { createOpenAiProvider } from '../../src/ai/openai/provider.ts';
import type { Provider, Session, SessionEvent, SessionOptions } from '../../src/ai/session.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { agentSchema } from '../../src/contract/agent.ts';
import { OpenAiSimulator, type SimulatorOptions } from '../support/openai-simulator.ts';

export interface Setup extends SimulatorOptions {
  readonly dialect?: 'ga' | 'beta';
  /** The provider's clock; the simulator has its own. */
  readonly providerClock?: Clock;
  readonly openai?: object;
}

/** A simulator and the provider that talks to it. */
export async function stageWith({ dialect = 'ga', openai, ...setup }: Setup = {}): Promise<{
  simulator: OpenAiSimulator;
  provider: Provider;
  close: () => Promise<void>;
}> {
  const simulator = await OpenAiSimulator.start({ apiKey: 'sk-test', ...setup });
  const entry = { openai: { url: simulator.url, dialect, ...openai } };
  const { providers } = agentSchema.parse({ providers: [entry] });
  const [first] = providers;
  if (first === undefined || !('openai' in first)) throw new Error('no openai provider');
  const provider = createOpenAiProvider({
    options: first.openai,
    apiKey: 'sk-test',
    clock: setup.providerClock ?? systemClock,
    log: silentLog,
  });
  return { simulator, provider, close: () => simulator.close() };
}

export const plain: SessionOptions = { format: 'pcmu', instructions: '', tools: [], history: [] };

/** Opens a session and keeps what it reports. */
export async function openSession(
  provider: Provider,
  options: Partial<SessionOptions> = {},
  onEvent: (event: SessionEvent, session: Session) => void = () => undefined,
): Promise<{ session: Session; events: SessionEvent[] }> {
  const events: SessionEvent[] = [];
  const session: Session = await provider.open(
    { ...plain, ...options },
    (event) => {
      events.push(event);
      onEvent(event, session);
    },
    new AbortController().signal,
  );
  return { session, events };
}
