import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { expectIdle, type Site, startSite, untilCalls } from '../app/site.ts';
import { amplitudeOf, tone, toneShareInPieces } from '../support/goertzel.ts';
import { type Program, startProgram } from './program.ts';

/** baresip as a phone with its own audio path: it sends a tone from a file and dumps what it decodes to another. */

let site: Site | undefined;
let phone: Program | undefined;
let folder: string | undefined;

afterEach(async () => {
  await phone?.end();
  await site?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

const phoneConfig = (home: string, rate = 8000) => `sip_listen 127.0.0.1:27300
rtp_ports 27310-27320
audio_source aufile,${home}/tone.wav
audio_player aubridge,nowhere
snd_path ${home}
audio_alert aufile,/dev/null
ausrc_srate ${rate}
auplay_srate ${rate}
ausrc_channels 1
auplay_channels 1
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module opus.so
module aufile.so
module aubridge.so
module sndfile.so
module account.so
module menu.so
`;

/** A mono WAV file of 16 bits. */
function wavOf(samples: Int16Array, rate = 8000): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(2 * rate, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([header, Buffer.from(samples.buffer)]);
}

interface Sound {
  readonly samples: Int16Array;
  readonly rate: number;
}

const low: Sound = { samples: tone(440, 80_000), rate: 8000 };

async function dial(target: string, codec: string, sound = low): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'parley-baresip-'));
  writeFileSync(join(folder, 'config'), phoneConfig(folder, sound.rate));
  const account = `<sip:phone@127.0.0.1:27300>;regint=0;audio_codecs=${codec}`;
  writeFileSync(join(folder, 'accounts'), `${account}\n`);
  writeFileSync(join(folder, 'contacts'), '');
  writeFileSync(join(folder, 'tone.wav'), wavOf(sound.samples, sound.rate));
  phone = await startProgram(['baresip', '-f', folder, '-e', `/dial sip:pizza@${target}`], (line) =>
    line.includes('Call established'),
  );
}

/** What the phone decoded, from its own dump: 16-bit mono samples. */
function heardIn(home: string): Int16Array {
  const dump = readdirSync(home).find((name) => name.endsWith('-dec.wav'));
  if (dump === undefined) throw new Error('the phone heard nothing');
  const body = readFileSync(join(home, dump)).subarray(44);
  return Int16Array.from({ length: body.length >> 1 }, (_, n) => body.readInt16LE(n * 2));
}

test.each(['PCMU', 'PCMA'])('a phone that speaks %s hears its own tone back', async (codec) => {
  site = await startSite({ agent: { greeting: undefined }, simulator: { isEcho: true } });
  await dial(site.udp, `${codec}/8000/1`);
  await untilCalls(site, 1);
  await pause(3000);
  await phone?.end();
  await expectIdle(site);
  const heard = heardIn(folder ?? '');
  expect(heard.length).toBeGreaterThan(16_000);
  expect(toneShareInPieces(heard.slice(-12_000, -4000), 440)).toBeGreaterThan(0.8);
  expect(site.ending()).toEqual({ result: 'completed', reason: 'caller-hung-up' });
});

const frequencies = [300, 1000, 3000, 6000];
const amplitude = 4000;

/** All of them at once. */
function chord(rate: number): Sound {
  const samples = Int16Array.from({ length: rate * 10 }, (_, n) =>
    Math.round(
      frequencies.reduce(
        (sum, hertz) => sum + amplitude * Math.sin((2 * Math.PI * hertz * n) / rate),
        0,
      ),
    ),
  );
  return { samples, rate };
}

/** The rate of the phone's dump. */
function rateIn(home: string): number {
  const dump = readdirSync(home).find((name) => name.endsWith('-dec.wav'));
  return dump === undefined ? 0 : readFileSync(join(home, dump)).readUInt32LE(24);
}

test.each([
  { codec: 'G722', named: 'G722/16000/1', rate: 16_000 },
  { codec: 'OPUS', named: 'opus/48000/2', rate: 48_000 },
])('a phone that speaks $codec hears its treble back', async ({ codec, named, rate }) => {
  site = await startSite({
    agent: { greeting: undefined, codecs: ['OPUS', 'G722', 'PCMU'] },
    simulator: { isEcho: true },
  });
  await dial(site.udp, named, chord(rate));
  await untilCalls(site, 1);
  await pause(3000);
  await phone?.end();
  await expectIdle(site);
  const sampleRateHz = rateIn(folder ?? '');
  const heard = heardIn(folder ?? '');
  const channels = codec === 'OPUS' ? 2 : 1;
  const mono = heard.filter((_, n) => n % channels === 0).slice(-sampleRateHz, -sampleRateHz / 2);
  for (const frequencyHz of frequencies) {
    const level = 20 * Math.log10(amplitudeOf(mono, { frequencyHz, sampleRateHz }) / amplitude);
    expect([frequencyHz, Math.abs(level) < 1.5, level]).toEqual([frequencyHz, true, level]);
  }
});
