import { Call } from '../../src/agent/call.ts';
import type { CallConversation, CallEndpoint } from '../../src/agent/call-audio.ts';
import { answerCall } from '../../src/agent/inbound.ts';
import { ConnectorError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import { Calls } from '../../src/calls/calls.ts';
import type { SignallingUser } from '../../src/calls/signalling.ts';
import type { Termination } from '../../src/contract/termination.ts';
import type { CallControl } from '../../src/conversation/call-control.ts';
import type { ConversationEvent } from '../../src/conversation/events.ts';
import type { AudioFormat } from '../../src/media/format.ts';
import type { LineListener } from '../../src/media/line.ts';
import { FakeIncoming, FakeSignalling } from '../calls/fake-signalling.ts';
import { FakeClock } from '../support/fake-clock.ts';

export const headers = {
  'content-type': 'application/sdp',
  'call-id': 'c1',
  from: '<sip:ann@127.0.0.4>;tag=t1',
  to: '<sip:pizza@127.0.0.1>',
  contact: '<sip:ann@127.0.0.4:5070>',
};
const dialog = 'c1;from-tag=t1';
export const hungUp: Termination = { result: 'completed', reason: 'agent-hung-up' };

/** An endpoint without ports; `told` is what was done to it. Offers `v=0 g729` and `v=0 hold` mean what they say. */
export function fakeEndpoint(over: {
  told: string[];
  format?: AudioFormat;
  lastAudioAt?: () => number;
  onListener?: (listener: LineListener) => void;
}): CallEndpoint {
  const { told, format = 'pcmu', lastAudioAt = () => 0 } = over;
  let heldBy = '';
  return {
    format,
    codec: format === 'pcma' ? 'PCMA' : 'PCMU',
    queuedBytes: 0,
    playedBytes: 0,
    play: () => undefined,
    clear: () => undefined,
    answer: (offer) => {
      if (offer === 'v=0 g729') throw new ConnectorError('MEDIA_NOT_ACCEPTABLE', 'no codec');
      heldBy = offer;
      return `answer to ${offer}`;
    },
    offer: () => 'our offer',
    accept: (answer) => void told.push(`accepted ${answer}`),
    setListener: (listener) => over.onListener?.(listener),
    start: () => void told.push('endpoint started'),
    get isHeld() {
      return heldBy === 'v=0 hold';
    },
    get lastAudioAt() {
      return lastAudioAt();
    },
    // A peer without telephone events.
    sendDigits: () => false,
    injectDigit: (digit) => void told.push(`digit ${digit}`),
    record: (file) => void told.push(`recording ${file}`),
    stats: () => ({
      packetsIn: 1,
      bytesIn: 160,
      packetsOut: 2,
      bytesOut: 320,
      lost: 0,
      jitterMs: 0,
      strangers: 0,
      malformed: 0,
      droppedFrames: 0,
      remote: undefined,
      late: 0,
      concealed: 0,
      recordingsFailed: 0,
      quality: {
        received: { lossPercent: 0, jitterMs: 0, rFactor: 93.2, mos: 4.41 },
        sent: undefined,
      },
    }),
    close: async () => void told.push('endpoint closed'),
  };
}

/** A call with everything around it faked; `told` is what happened to media and conversation, in order. */
export async function setUp(
  over: { format?: AudioFormat; open?: () => Promise<void>; ports?: Error } = {},
) {
  const clock = new FakeClock();
  const told: string[] = [];
  const ended: Termination[] = [];
  const controls: CallControl[] = [];
  const events: ((event: ConversationEvent) => void)[] = [];
  let silentSince: number | undefined;
  let caller: LineListener | undefined;
  const endpoint = fakeEndpoint({
    told,
    format: over.format ?? 'pcmu',
    lastAudioAt: () => silentSince ?? clock.now(),
    onListener: (listener) => (caller = listener),
  });
  const createConversation = (control: CallControl): CallConversation => {
    controls.push(control);
    return {
      open: (format) => {
        told.push(`open ${format}`);
        return over.open?.() ?? Promise.resolve();
      },
      attach: () => {
        told.push('attached');
        return {
          onAudio: (audio) => void told.push(`heard ${audio.toString()}`),
          onDigit: (digit) => void told.push(`key ${digit}`),
          onPlayed: () => undefined,
        };
      },
      hold: (isHeld) => void told.push(`held ${isHeld}`),
      pressing: (isPressing) => void told.push(`pressing ${isPressing}`),
      end: ({ reason }) => void told.push(`conversation ended ${reason}`),
      transcript: () => [],
    };
  };
  const call = new Call(
    {
      id: 'call-1',
      preferredFormat: 'pcmu',
      recordingFolder: undefined,
      openEndpoint: () => (over.ports ? Promise.reject(over.ports) : Promise.resolve(endpoint)),
      createConversation: ({ control, onEvent }) => {
        events.push(onEvent);
        return createConversation(control);
      },
      clock,
      log: silentLog,
      metrics: {
        callEnded: (termination) => void ended.push(termination),
        callQuality: () => undefined,
        callSetUp: () => undefined,
        firstAudio: () => undefined,
        bargeInStopped: () => undefined,
        providerOpened: () => undefined,
        providerFault: () => undefined,
        toolCalled: () => undefined,
      },
      onEnded: () => void told.push('gone'),
    },
    { direction: 'inbound', from: 'sip:ann@x', to: 'sip:pizza@x', sipCallId: 'c1' },
  );
  const signalling = new FakeSignalling();
  let server: SignallingUser | undefined;
  const calls = new Calls(
    { clock, log: silentLog, sessionSeconds: 1800, nonce: () => 'n' },
    {
      onIncoming: (incoming) => void answerCall(call, incoming),
      onOptions: () => ({ status: 200 }),
    },
  );
  await calls.connect(async (user) => {
    server = user;
    return signalling;
  });
  const receive = (
    method: string,
    request: { dialog?: string; headers?: object; body?: string } = {},
  ) => {
    const incoming = new FakeIncoming({
      method,
      dialog,
      ...request,
      headers: { ...headers, ...request.headers },
    });
    server?.onRequest(incoming);
    return incoming;
  };
  const settle = () => clock.advanceAsync(0);
  const invite = async (body = 'v=0') => {
    const incoming = receive('INVITE', { dialog: '', body });
    await settle();
    return incoming;
  };
  const fallSilent = () => (silentSince = clock.now());
  const parts = { call, calls, signalling, clock, told, ended, controls, events };
  /** The caller speaks. */
  const say = (text: string) => caller?.onAudio(Buffer.from(text));
  const press = (digit: string) => caller?.onDigit(digit, 100);
  return { ...parts, receive, invite, settle, fallSilent, say, press };
}

/** How a call ended, and what is left of it. */
export function endOf({ told, ended, calls, clock, call }: Awaited<ReturnType<typeof setUp>>) {
  const count = (text: string) => told.filter((line) => line.startsWith(text)).length;
  return {
    ended,
    state: call.state,
    closed: [count('endpoint closed'), count('conversation ended'), count('gone')],
    left: [calls.legCount, clock.pending],
  };
}

/** Ended once, everything released once. */
export function once(result: Termination['result'], reason: Termination['reason']) {
  return { ended: [{ result, reason }], state: 'ended', closed: [1, 1, 1], left: [0, 0] };
}

/** An answered call. */
export async function talking(over: Parameters<typeof setUp>[0] = {}) {
  const parts = await setUp(over);
  await parts.invite();
  parts.receive('ACK');
  return parts;
}
