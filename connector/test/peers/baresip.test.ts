import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { expectIdle, type Site, startSite, untilCalls } from '../app/site.ts';
import { tone, toneShareInPieces } from '../support/goertzel.ts';
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

const phoneConfig = (home: string) => `sip_listen 127.0.0.1:27300
rtp_ports 27310-27320
audio_source aufile,${home}/tone.wav
audio_player aubridge,nowhere
snd_path ${home}
audio_alert aufile,/dev/null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module account.so
module menu.so
`;

/** A mono WAV file of 8 kHz, 16 bits. */
function wavOf(samples: Int16Array): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([header, Buffer.from(samples.buffer)]);
}

async function dial(target: string, codec: string): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'parley-baresip-'));
  writeFileSync(join(folder, 'config'), phoneConfig(folder));
  const account = `<sip:phone@127.0.0.1:27300>;regint=0;audio_codecs=${codec}/8000/1`;
  writeFileSync(join(folder, 'accounts'), `${account}\n`);
  writeFileSync(join(folder, 'contacts'), '');
  writeFileSync(join(folder, 'tone.wav'), wavOf(tone(440, 80_000)));
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
  await dial(site.udp, codec);
  await untilCalls(site, 1);
  await pause(3000);
  await phone?.end();
  await expectIdle(site);
  const heard = heardIn(folder ?? '');
  expect(heard.length).toBeGreaterThan(16_000);
  expect(toneShareInPieces(heard.slice(-12_000, -4000), 440)).toBeGreaterThan(0.8);
  expect(site.ending()).toEqual({ result: 'completed', reason: 'caller-hung-up' });
});
