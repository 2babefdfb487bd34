import { localError } from './kube-error.ts';

/** An object is at most 3 MB on the wire; what is longer is not Kubernetes. */
const maxLineBytes = 16 * 1024 * 1024;

/** JSON documents, one a line, out of chunks cut anywhere. Fails with `BadAnswer`, or `ConnectionFailed` when cut short. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      rest.push(Buffer.from(chunk.subarray(from, to)));
      from = to + 1;
      const line = Buffer.concat(rest).toString('utf8');
      rest = [];
      restBytes = 0;
      if (line.trim() !== '') yield parsedLine(line);
    }
    rest.push(Buffer.from(chunk.subarray(from)));
    restBytes += chunk.length - from;
    if (restBytes > maxLineBytes) throw localError('BadAnswer', 'an endless line in a watch');
  }
  if (restBytes > 0) throw localError('ConnectionFailed', 'the watch was cut within an event');
}

function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw localError('BadAnswer', 'a line of a watch is not JSON', error);
  }
}
