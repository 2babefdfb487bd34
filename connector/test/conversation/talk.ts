import { silentLog } from '../../src/base/log.ts';
import type { Agent } from '../../src/contract/agent.ts';
import { agentSchema } from '../../src/contract/agent.ts';
import type { Termination } from '../../src/contract/termination.ts';
import type {
  DigitsOutcome,
  TransferOutcome,
  TransferTarget,
} from '../../src/conversation/call-control.ts';
import { Conversation } from '../../src/conversation/conversation.ts';
import type { ConversationEvent } from '../../src/conversation/events.ts';
import type { Speaker } from '../../src/conversation/phrases.ts';
import type { LineListener } from '../../src/media/line.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeLine } from '../support/fake-line.ts';
import type { FakeSession } from '../support/fake-provider.ts';
import { FakeProvider } from '../support/fake-provider.ts';

/** Byte the fake speaker speaks in, and for how long. */
export const speakerByte = 0x33;
export const speakerDuration = 500;

type AgentInput = Readonly<Record<string, unknown>>;

export function agentOf(overrides: AgentInput = {}): Agent {
  return agentSchema.parse({
    greeting: 'Hello!',
    instructions: 'Be kind.',
    providers: [{ openai: {} }],
    ...overrides,
  });
}

/** A conversation with fakes all around, and a clock that moves the line with it. */
export class Talk {
  readonly clock = new FakeClock();
  readonly line = new FakeLine();
  readonly providers: readonly FakeProvider[];
  readonly events: ConversationEvent[] = [];
  readonly hangUps: Termination[] = [];
  readonly transfers: { target: TransferTarget; settle: (outcome: TransferOutcome) => void }[] = [];
  readonly pressed: { digits: string; settle: (outcome: DigitsOutcome) => void }[] = [];
  readonly conversation: Conversation;
  caller: LineListener | undefined;

  constructor(
    of: {
      agent?: AgentInput;
      providers?: readonly FakeProvider[];
      speaker?: Speaker | 'none';
    } = {},
  ) {
    this.providers = of.providers ?? [new FakeProvider()];
    const speaker: Speaker = of.speaker && of.speaker !== 'none' ? of.speaker : speak;
    this.conversation = new Conversation({
      agent: agentOf(of.agent),
      providers: this.providers,
      control: {
        hangUp: (termination) => void this.hangUps.push(termination),
        transfer: (target) => new Promise((settle) => void this.transfers.push({ target, settle })),
        sendDigits: (digits) => new Promise((settle) => void this.pressed.push({ digits, settle })),
      },
      speaker: of.speaker === 'none' ? undefined : speaker,
      clock: this.clock,
      random: () => 0.5,
      log: silentLog,
      onEvent: (event) => void this.events.push(event),
    });
  }

  /** The session opened last. */
  get session(): FakeSession {
    const sessions = this.providers.flatMap((provider) => provider.sessions);
    const open = sessions.findLast((session) => !session.isClosed);
    if (!open) throw new Error('no session is open');
    return open;
  }

  attach(): void {
    this.caller = this.conversation.attach(this.line);
    this.line.listener = this.caller;
  }

  /** Opened and answered, the greeting played to its end. */
  static async begun(of: ConstructorParameters<typeof Talk>[0] = {}): Promise<Talk> {
    const talk = new Talk(of);
    await talk.conversation.open('pcmu');
    talk.attach();
    if (talk.session.calls.length > 0) talk.session.reply('Hello!', 200);
    await talk.pass(300);
    talk.session.calls.length = 0;
    talk.events.length = 0;
    return talk;
  }

  /** Time goes by in frames of 20 ms. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 20) {
      await this.clock.advanceAsync(20);
      this.line.tick();
    }
  }

  /** Long times, when nothing is played. */
  async skip(ms: number): Promise<void> {
    await this.clock.advanceAsync(ms);
    this.line.tick();
  }

  end(): void {
    this.conversation.end({ result: 'completed', reason: 'caller-hung-up' });
  }

  of<T extends ConversationEvent['type']>(type: T): Extract<ConversationEvent, { type: T }>[] {
    return this.events.filter(
      (event): event is Extract<ConversationEvent, { type: T }> => event.type === type,
    );
  }
}

const speak: Speaker = () => Promise.resolve(Buffer.alloc(speakerDuration * 8, speakerByte));
