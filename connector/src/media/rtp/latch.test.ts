import { expect, test } from 'vitest';
import { closedLatch, type LatchState, latchPacket, openLatch, type Verdict } from './latch.ts';

const announced = { address: '10.0.0.5', port: 4000 };
const behindNat = { address: '198.51.100.7', port: 61_000 };
const stranger = { address: '203.0.113.66', port: 5004 };
const moved = { address: '198.51.100.8', port: 7000 };

class Scene {
  state: LatchState = closedLatch;
  now = 0;
  readonly #sequences = new Map<object, number>();

  open(address = announced): this {
    this.state = openLatch(this.state, address, this.now);
    return this;
  }

  packet(from: typeof announced, options: { sequence?: number; ssrc?: number } = {}): Verdict {
    const sequence = options.sequence ?? (this.#sequences.get(from) ?? 65_533) + 1;
    this.#sequences.set(from, sequence);
    const { ssrc = 1 } = options;
    const packet = { ...from, ssrc, sequence: sequence & 0xffff };
    const [state, verdict] = latchPacket(this.state, packet, this.now);
    this.state = state;
    return verdict;
  }

  packets(from: typeof announced, count: number): Verdict[] {
    return Array.from({ length: count }, () => this.packet(from));
  }
}

test('we send to the announced address before anything came', () => {
  expect(new Scene().open().state.target).toEqual(announced);
});

test('before any description everybody is a stranger', () => {
  expect(new Scene().packet(announced)).toBe('stranger');
});

test('the announced address is taken at once and ends the learning', () => {
  const scene = new Scene().open();
  expect(scene.packet(announced)).toBe('accepted');
  expect(scene.packets(stranger, 5)).toEqual(Array(5).fill('stranger'));
  expect(scene.state.target).toEqual(announced);
});

test('a source behind NAT is latched with its third packet in a row, over the wrap', () => {
  const scene = new Scene().open();
  expect(scene.packets(behindNat, 4)).toEqual(['learning', 'learning', 'accepted', 'accepted']);
  expect(scene.state.target).toEqual(behindNat);
});

test('once latched, a stranger can neither inject nor move it', () => {
  const scene = new Scene().open();
  scene.packets(behindNat, 3);
  expect(scene.packets(stranger, 20)).toEqual(Array(20).fill('stranger'));
  expect(scene.state.target).toEqual(behindNat);
  expect(scene.packet(behindNat)).toBe('accepted');
});

test.each([
  { name: 'gaps in its sequence', packets: [{ sequence: 1 }, { sequence: 3 }, { sequence: 5 }] },
  { name: 'one sequence number', packets: [{ sequence: 1 }, { sequence: 1 }, { sequence: 1 }] },
  {
    name: 'changing sources',
    packets: [
      { sequence: 1, ssrc: 1 },
      { sequence: 2, ssrc: 2 },
      { sequence: 3, ssrc: 3 },
    ],
  },
])('a source with $name is not latched', ({ packets }) => {
  const scene = new Scene().open();
  expect(packets.map((options) => scene.packet(stranger, options))).toEqual(
    Array(3).fill('learning'),
  );
  expect(scene.state.target).toEqual(announced);
});

test('a stranger who sends in between does not keep the right source out', () => {
  const scene = new Scene().open();
  const verdicts = [1, 2, 3].flatMap(() => [
    scene.packet(stranger, { sequence: 9 }),
    scene.packet(behindNat),
  ]);
  expect(verdicts.at(-1)).toBe('accepted');
});

test('after the window nobody is learnt', () => {
  const scene = new Scene().open();
  scene.now = 10_001;
  expect(scene.packets(behindNat, 5)).toEqual(Array(5).fill('stranger'));
  expect(scene.packet(announced)).toBe('accepted');
});

test('the announced address wins over a latched source, whenever it comes', () => {
  const scene = new Scene().open();
  scene.packets(stranger, 3);
  scene.now = 60_000;
  expect(scene.packet(announced)).toBe('accepted');
  expect(scene.state.target).toEqual(announced);
  expect(scene.packet(stranger)).toBe('stranger');
});

test('a refresh with the same address keeps the latched source, which closes the door again', () => {
  const scene = new Scene().open();
  scene.packets(behindNat, 3);
  scene.now = 900_000;
  scene.open();
  expect(scene.state.target).toEqual(behindNat);
  expect(scene.packet(stranger)).toBe('learning');
  expect(scene.packet(behindNat)).toBe('accepted');
  expect(scene.packets(stranger, 5)).toEqual(Array(5).fill('stranger'));
});

test('after a re-offer a new NAT binding is learnt when the old one is silent', () => {
  const scene = new Scene().open();
  scene.packets(behindNat, 3);
  scene.now = 900_000;
  scene.open();
  const rebound = { ...behindNat, port: 61_500 };
  expect(scene.packets(rebound, 3)).toEqual(['learning', 'learning', 'accepted']);
  expect(scene.state.target).toEqual(rebound);
});

test('a re-offer with another address moves our stream at once and takes the old one until the new sends', () => {
  const scene = new Scene().open();
  scene.packets(announced, 2);
  scene.open(moved);
  expect(scene.state.target).toEqual(moved);
  expect(scene.packets(announced, 2)).toEqual(['accepted', 'accepted']);
  expect(scene.state.target).toEqual(moved);
  expect(scene.packet(moved)).toBe('accepted');
  expect(scene.packet(announced)).toBe('stranger');
});

test('after a move the peer may be behind NAT again', () => {
  const scene = new Scene().open();
  scene.packets(announced, 2);
  scene.open(moved);
  expect(scene.packets(behindNat, 3)).toEqual(['learning', 'learning', 'accepted']);
  expect(scene.packet(announced)).toBe('stranger');
});

test('a hold by 0.0.0.0 keeps what is known and opens nothing', () => {
  const scene = new Scene().open();
  scene.packets(announced, 2);
  const before = scene.state;
  scene.state = openLatch(scene.state, undefined, scene.now);
  expect(scene.state).toBe(before);
  expect(scene.packets(stranger, 5)).toEqual(Array(5).fill('stranger'));
});

test('the state object stays the same for the packets of a settled call', () => {
  const scene = new Scene().open();
  scene.packet(announced);
  const before = scene.state;
  scene.packets(announced, 3);
  expect(scene.state).toBe(before);
});
