/**
 * G.711 by search: a sample's code is the one whose value is nearest. Slow and plain, and another way
 * than the connector's, whose tables are thereby checked.
 */

export type Law = 'pcmu' | 'pcma';

/** Value of each code, from the definition: ITU-T G.711 tables 1a and 2a, scaled to 16 bit. */
function valueOf(law: Law, code: number): number {
  if (law === 'pcmu') {
    const bits = 0xff - code;
    const step = 2 ** ((bits & 0x70) / 16);
    const magnitude = 4 * (step * (2 * (bits & 0x0f) + 33) - 33);
    return bits >= 0x80 ? -magnitude : magnitude;
  }
  const bits = code ^ 0x55;
  const segment = (bits & 0x70) / 16;
  const mantissa = 2 * (bits & 0x0f) + 1;
  const magnitude = 8 * (segment === 0 ? mantissa : (mantissa + 32) * 2 ** (segment - 1));
  return bits >= 0x80 ? magnitude : -magnitude;
}

function codesByValue(law: Law): { value: number; code: number }[] {
  return Array.from({ length: 256 }, (_, code) => ({ value: valueOf(law, code), code })).toSorted(
    (a, b) => a.value - b.value,
  );
}

const tables = { pcmu: codesByValue('pcmu'), pcma: codesByValue('pcma') };

export function encode(law: Law, samples: Int16Array): Buffer {
  return Buffer.from(Uint8Array.from(samples, (sample) => nearest(tables[law], sample)));
}

export function decode(law: Law, audio: Uint8Array): Int16Array {
  return Int16Array.from(audio, (code) => valueOf(law, code));
}

function nearest(table: readonly { value: number; code: number }[], sample: number): number {
  let low = 0;
  let high = table.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (table[middle]!.value <= sample) low = middle;
    else high = middle;
  }
  const [below, above] = [table[low]!, table[high]!];
  return sample - below.value <= above.value - sample ? below.code : above.code;
}
