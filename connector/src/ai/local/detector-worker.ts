import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../base/errors.ts';
import { loadFvad } from './fvad.ts';
import { frameSamples } from './segmenter.ts';
import { loadSilero } from './silero.ts';
import type { VoiceModel, VoiceStream } from './voice-model.ts';

/** `samples`: whole frames of the stream, one after the other; the first message of an id opens it. */
export type DetectorRequest =
  | { readonly type: 'frames'; readonly stream: number; readonly samples: Int16Array }
  | { readonly type: 'close'; readonly stream: number }
  /** The thread ends by itself: the ONNX runtime aborts the process when it is ended in mid-work. */
  | { readonly type: 'end' };

export type DetectorMessage =
  /** `reason`: why Silero, the better model, could not be loaded. */
  | { readonly type: 'ready'; readonly model: VoiceModel['name']; readonly reason?: string }
  /** One for each frame of a request. */
  | {
      readonly type: 'probabilities';
      readonly stream: number;
      readonly probabilities: readonly number[];
    };

const port = parentPort;
if (!port) throw new Error('not a worker thread');
const post = (message: DetectorMessage) => port.postMessage(message);

let reason: string | undefined;
const model = await loadSilero().catch((error: unknown) => {
  reason = messageOf(error);
  return loadFvad();
});
const streams = new Map<number, { stream: VoiceStream; last: Promise<void> }>();

let closing: Promise<void> = Promise.resolve();

port.on('message', (request: DetectorRequest) => {
  if (request.type === 'end') {
    void end();
    return;
  }
  if (request.type === 'close') {
    close(request.stream);
    return;
  }
  const open = streams.get(request.stream) ?? { stream: model.stream(), last: Promise.resolve() };
  streams.set(request.stream, open);
  // A stream's frames go through the model in order, whatever others do.
  open.last = open.last.then(() => detect(open.stream, request));
});
post({ type: 'ready', model: model.name, ...(reason === undefined ? {} : { reason }) });

function close(id: number): void {
  const open = streams.get(id);
  streams.delete(id);
  if (!open) return;
  const closed = open.last.then(() => open.stream.close());
  closing = closing.then(() => closed);
}

async function end(): Promise<void> {
  for (const id of streams.keys()) close(id);
  await closing;
  await model.close();
  port?.close();
}

async function detect(
  stream: VoiceStream,
  request: Extract<DetectorRequest, { type: 'frames' }>,
): Promise<void> {
  const probabilities: number[] = [];
  for (let at = 0; at < request.samples.length; at += frameSamples)
    probabilities.push(
      await stream.probability(request.samples.subarray(at, at + frameSamples)).catch(() => 0),
    );
  post({ type: 'probabilities', stream: request.stream, probabilities });
}
