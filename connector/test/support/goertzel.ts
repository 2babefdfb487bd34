/** µ-law byte to 16-bit sample, straight from ITU-T G.711, independent of the product's tables. */
export function fromUlaw(byte: number): number {
  const inverted = ~byte & 0xff;
  const magnitude = (((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 7);
  return inverted & 0x80 ? 0x84 - magnitude : magnitude - 0x84;
}

/** 16-bit sample to µ-law byte. */
export function toUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const biased = Math.min(Math.abs(sample), 32_635) + 0x84;
  const exponent = Math.floor(Math.log2(biased)) - 7;
  return ~(sign | (exponent << 4) | ((biased >> (exponent + 3)) & 0x0f)) & 0xff;
}

/** Amplitude of a sine at `frequencyHz` within samples of any rate. */
export function amplitudeOf(
  samples: Int16Array,
  of: { readonly frequencyHz: number; readonly sampleRateHz: number },
): number {
  const step = (2 * Math.PI * of.frequencyHz) / of.sampleRateHz;
  let [real, imaginary] = [0, 0];
  for (const [n, sample] of samples.entries()) {
    real += sample * Math.cos(step * n);
    imaginary += sample * Math.sin(step * n);
  }
  return (2 * Math.hypot(real, imaginary)) / samples.length;
}

/** Samples of a sine at 8 kHz. */
export function tone(frequencyHz: number, samples: number, amplitude = 8000): Int16Array {
  return Int16Array.from({ length: samples }, (_, n) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * frequencyHz * n) / 8000)),
  );
}

/** Share (0 to 1) of the energy of `pcm` (8 kHz) that is at `frequencyHz` (Goertzel). 0 for silence. */
export function toneShare(pcm: Int16Array, frequencyHz: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * frequencyHz) / 8000);
  let [last, before, energy] = [0, 0, 0];
  for (const sample of pcm) {
    const next = sample + turn * last - before;
    before = last;
    last = next;
    energy += sample * sample;
  }
  if (energy === 0) return 0;
  const power = last * last + before * before - turn * last * before;
  return power / (energy * (pcm.length / 2));
}

/**
 * Share (0 to 1) of the energy of `pcm` that is at `frequencyHz`, taken in pieces of 20 ms: a frame
 * that came late or was dropped turns the phase, which nobody hears but which cancels a long sum.
 */
export function toneShareInPieces(pcm: Int16Array, frequencyHz: number): number {
  const size = 160;
  let [atTone, all] = [0, 0];
  for (let from = 0; from + size <= pcm.length; from += size) {
    const piece = pcm.subarray(from, from + size);
    const energy = piece.reduce((sum, sample) => sum + sample * sample, 0);
    atTone += energy * toneShare(piece, frequencyHz);
    all += energy;
  }
  return all === 0 ? 0 : atTone / all;
}
