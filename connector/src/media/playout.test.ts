import { expect, test } from 'vitest';
import { Playout } from './playout.ts';

const frameBytes = 160;
const silence = 0xff;
/** Loud in µ-law, so that no frame counts as quiet. */
const loud = 0x80;

function read(playout: Playout, size = frameBytes): Buffer {
  const frame = Buffer.alloc(size);
  playout.read(frame, 0);
  return frame;
}

/** 20 ms whose first byte is a mark and whose rest is loud. */
function marked(mark: number): Buffer {
  return Buffer.alloc(frameBytes, loud).fill(mark, 0, 1);
}

test('an empty queue plays silence of its law', () => {
  expect(read(new Playout('pcmu', 20))).toEqual(Buffer.alloc(160, 0xff));
  expect(read(new Playout('pcma', 20))).toEqual(Buffer.alloc(160, 0xd5));
});

test('pieces of any length come out as frames, in order, without a byte lost', () => {
  const playout = new Playout('pcmu', 20);
  const source = Buffer.from(Array.from({ length: 960 }, (_, index) => index % 251));
  for (const [from, to] of [
    [0, 1],
    [1, 500],
    [500, 640],
    [640, 960],
  ] as const)
    playout.push(source.subarray(from, to));
  expect(Buffer.concat(Array.from({ length: 6 }, () => read(playout)))).toEqual(source);
  expect(playout.playedBytes).toBe(960);
});

test('a tail shorter than a frame waits one tick for what follows it', () => {
  const playout = new Playout('pcmu', 20);
  playout.push(Buffer.alloc(200, 1));
  read(playout);
  expect(read(playout)).toEqual(Buffer.alloc(160, silence));
  playout.push(Buffer.alloc(120, 2));
  expect(read(playout)).toEqual(Buffer.concat([Buffer.alloc(40, 1), Buffer.alloc(120, 2)]));
});

test('a tail with nothing after it is padded with silence, which does not count as played', () => {
  const playout = new Playout('pcmu', 20);
  playout.push(Buffer.alloc(200, 1));
  read(playout);
  read(playout);
  expect(read(playout)).toEqual(Buffer.concat([Buffer.alloc(40, 1), Buffer.alloc(120, silence)]));
  expect([playout.queuedBytes, playout.playedBytes]).toEqual([200, 200]);
});

test('clear drops all that is queued and takes it back from the positions', () => {
  const playout = new Playout('pcmu', 20);
  playout.push(Buffer.alloc(800, 1));
  read(playout);
  playout.clear();
  expect(read(playout)).toEqual(Buffer.alloc(160, silence));
  expect([playout.queuedBytes, playout.playedBytes]).toEqual([160, 160]);
  playout.push(Buffer.alloc(160, 2));
  expect(read(playout)).toEqual(Buffer.alloc(160, 2));
});

test.each([20, 30, 40, 60])('frames of %i ms hold as much', (ptime) => {
  const playout = new Playout('pcmu', 20);
  playout.ptime = ptime;
  playout.push(Buffer.alloc(ptime * 16, 3));
  expect(read(playout, ptime * 8)).toEqual(Buffer.alloc(ptime * 8, 3));
  expect(playout.playedBytes).toBe(ptime * 8);
});

/** A stream of one piece each `period` ms, of which those in [stall.from, stall.to) come at its end. */
function streamWithStall(options: {
  readonly seconds: number;
  readonly stall: { readonly from: number; readonly to: number };
  readonly content?: (index: number) => number;
}) {
  const playout = new Playout('pcmu', 20);
  const waiting: number[] = [];
  const { seconds, stall, content = () => loud } = options;
  for (let now = 0, index = 0; now < seconds * 1000; now += 20) {
    if (now === stall.to)
      for (let late = stall.from; late < stall.to; late += 20)
        playout.push(Buffer.alloc(frameBytes, content(index++)));
    if (now < stall.from || now >= stall.to)
      playout.push(Buffer.alloc(frameBytes, content(index++)));
    read(playout);
    waiting.push(playout.queuedBytes - playout.playedBytes);
  }
  return { playout, delayAt: (ms: number) => (waiting[ms / 20] ?? Number.NaN) / 8 };
}

test('a paced stream that stalled for 100 ms has its former delay 2 s later', () => {
  const { delayAt, playout } = streamWithStall({ seconds: 5, stall: { from: 1000, to: 1100 } });
  expect(delayAt(980)).toBe(0);
  expect(delayAt(1100)).toBe(100);
  expect(delayAt(3100)).toBe(0);
  expect(delayAt(4980)).toBe(0);
  expect(playout.droppedFrames).toBe(5);
});

test('after a stall of half a second most of the delay is cut in one piece', () => {
  const { delayAt, playout } = streamWithStall({ seconds: 8, stall: { from: 1000, to: 1500 } });
  expect(delayAt(1500)).toBe(500);
  expect(delayAt(3500)).toBe(0);
  expect(playout.droppedFrames).toBe(25);
});

test('the frames that are left out count as played', () => {
  const { playout } = streamWithStall({ seconds: 5, stall: { from: 1000, to: 1100 } });
  expect(playout.playedBytes).toBe(playout.queuedBytes);
  expect(playout.queuedBytes).toBe(5 * 8000);
});

test('a quiet frame is left out rather than a loud one', () => {
  const sent: number[] = [];
  const playout = new Playout('pcmu', 20);
  // Every fifth frame is quiet; the mark in the first byte tells them apart.
  const push = (index: number) =>
    playout.push(index % 5 === 0 ? Buffer.alloc(frameBytes, 0xfe).fill(0xfd, 0, 1) : marked(0x81));
  for (let tick = 0, index = 0; tick < 200; tick++) {
    if (tick === 55) for (let late = 0; late < 5; late++) push(index++);
    if (tick < 50 || tick >= 55) push(index++);
    sent.push(read(playout)[0] ?? 0);
  }
  expect(playout.droppedFrames).toBe(5);
  expect(sent.filter((mark) => mark === 0x81).length).toBe(160);
  expect(sent.filter((mark) => mark === 0xfd).length).toBe(35);
});

test.each([
  { name: '200 ms at 3 times real time', piece: 1600, speed: 3 },
  { name: '400 ms at 3 times real time', piece: 3200, speed: 3 },
  { name: '200 ms at 10 times real time', piece: 1600, speed: 10 },
  { name: '20 ms at 3 times real time', piece: 160, speed: 3 },
  { name: '100 ms at 1.0 times real time', piece: 800, speed: 1 },
  { name: '200 ms at 0.9 times real time, running dry each time', piece: 1600, speed: 0.9 },
])('replies in pieces of $name lose no byte', ({ piece, speed }) => {
  const playout = new Playout('pcmu', 20);
  const heard: Buffer[] = [];
  const source = Buffer.from(Array.from({ length: 80_000 }, (_, index) => 1 + (index % 97)));
  // Three replies of 10 s, each with a pause after it.
  for (let reply = 0; reply < 3; reply++) {
    let given = 0;
    for (let tick = 0; tick < 700; tick++) {
      for (; given < source.length && given < tick * 160 * speed; given += piece)
        playout.push(source.subarray(given, given + piece));
      heard.push(read(playout));
    }
  }
  const audio = Buffer.from(Buffer.concat(heard).filter((byte) => byte !== silence));
  expect(playout.droppedFrames).toBe(0);
  expect(audio.equals(Buffer.concat([source, source, source]))).toBe(true);
});

test('a reply that came in one piece and goes on in real time keeps its lead', () => {
  const playout = new Playout('pcmu', 20);
  playout.push(Buffer.alloc(4800, loud));
  for (let tick = 0; tick < 200; tick++) {
    playout.push(Buffer.alloc(frameBytes, loud));
    read(playout);
  }
  expect(playout.droppedFrames).toBe(0);
});

test('a sender whose clock is fast by 0.1 % gains no delay for good', () => {
  const playout = new Playout('pcmu', 20);
  let given = 0;
  let worst = 0;
  for (let tick = 0; tick < 50 * 300; tick++) {
    for (; given < tick * 160 * 1.001; given += 160) playout.push(Buffer.alloc(160, loud));
    read(playout);
    worst = Math.max(worst, playout.queuedBytes - playout.playedBytes);
  }
  // Five minutes would have added 300 ms.
  expect(worst / 8).toBeLessThanOrEqual(40);
});

test('jitter that comes back keeps the delay it needs', () => {
  const playout = new Playout('pcmu', 20);
  let gaps = 0;
  // Once a second a packet is 30 ms late: two come together.
  for (let tick = 0; tick < 50 * 60; tick++) {
    const isLate = tick % 50 === 10;
    const count = isLate ? 0 : tick % 50 === 11 ? 2 : 1;
    for (let piece = 0; piece < count; piece++) playout.push(Buffer.alloc(160, loud));
    if (read(playout)[0] === silence && tick > 50 * 10) gaps += 1;
  }
  // A minute has 60 late packets; at most one in five is heard as a gap once the need is known.
  expect(gaps).toBeLessThan(12);
});

test('a stream at the edge of its tick loses a frame ever more seldom', () => {
  const playout = new Playout('pcmu', 20);
  const minutes: number[] = [];
  // Every 5 s a packet misses its tick and two come at the next.
  for (let tick = 0; tick < 50 * 60 * 10; tick++) {
    const place = tick % 250;
    const count = place === 10 ? 0 : place === 11 ? 2 : 1;
    for (let piece = 0; piece < count; piece++) playout.push(Buffer.alloc(160, loud));
    read(playout);
    if (tick % 3000 === 2999) minutes.push(playout.droppedFrames);
  }
  // Of 120 late packets.
  expect(minutes.at(-1)).toBeLessThanOrEqual(6);
  expect((minutes[9] ?? 0) - (minutes[4] ?? 0)).toBeLessThanOrEqual(1);
});

test('a stall soon after another is won back in full', () => {
  const playout = new Playout('pcmu', 20);
  for (let tick = 0; tick < 500; tick++) {
    const isStalled = (tick >= 100 && tick < 105) || (tick >= 250 && tick < 255);
    const count = isStalled ? 0 : tick === 105 || tick === 255 ? 6 : 1;
    for (let piece = 0; piece < count; piece++) playout.push(Buffer.alloc(160, loud));
    read(playout);
  }
  expect(playout.queuedBytes - playout.playedBytes).toBe(0);
});

test('time for which no frames were sent is won back as a gap is', () => {
  const playout = new Playout('pcmu', 20);
  const push = () => playout.push(Buffer.alloc(160, loud));
  for (let tick = 0; tick < 50; tick++) {
    push();
    read(playout);
  }
  for (let late = 0; late < 8; late++) push();
  playout.skipped(8);
  for (let tick = 0; tick < 200; tick++) {
    push();
    read(playout);
  }
  expect(playout.queuedBytes - playout.playedBytes).toBe(0);
});

test('a thousand pieces that wait are all played', () => {
  const playout = new Playout('pcmu', 20);
  for (let index = 0; index < 1000; index++) playout.push(Buffer.alloc(160, index % 200));
  for (let index = 0; index < 1000; index++) expect(read(playout)[7]).toBe(index % 200);
  expect(playout.playedBytes).toBe(160_000);
});
