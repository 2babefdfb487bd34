import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { expectIdle, type Site, startSite, untilCalls } from '../app/site.ts';
import { toneShare } from '../support/goertzel.ts';
import { type Program, startProgram } from './program.ts';

/** baresip as a phone with its own audio path: it sends a tone and writes what it hears to a file. */

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
audio_source ausine,440
audio_player aufile,${home}/heard.wav
audio_alert aufile,/dev/null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path /usr/lib/baresip/modules
module g711.so
module ausine.so
module aufile.so
module account.so
module menu.so
`;

async function dial(target: string, codec: string): Promise<string> {
  folder = mkdtempSync(join(tmpdir(), 'parley-baresip-'));
  writeFileSync(join(folder, 'config'), phoneConfig(folder));
  const account = `<sip:phone@127.0.0.1:27300>;regint=0;audio_codecs=${codec}/8000/1`;
  writeFileSync(join(folder, 'accounts'), `${account}\n`);
  writeFileSync(join(folder, 'contacts'), '');
  phone = await startProgram(['baresip', '-f', folder, '-e', `/dial sip:pizza@${target}`], (line) =>
    line.includes('Call established'),
  );
  return join(folder, 'heard.wav');
}

/** 16-bit mono samples of a WAV file whose writer may not have closed it. */
function samplesOf(file: string): Int16Array {
  const bytes = readFileSync(file);
  const body = bytes.subarray(44, 44 + ((bytes.length - 44) & ~1));
  return Int16Array.from({ length: body.length / 2 }, (_, n) => body.readInt16LE(n * 2));
}

test.each(['PCMU', 'PCMA'])('a phone that speaks %s hears its own tone back', async (codec) => {
  site = await startSite({ agent: { greeting: undefined }, simulator: { isEcho: true } });
  const file = await dial(site.udp, codec);
  await untilCalls(site, 1);
  await pause(3000);
  await phone?.end();
  await expectIdle(site);
  const heard = samplesOf(file);
  expect(heard.length).toBeGreaterThan(16_000);
  const middle = heard.slice(heard.length / 2, heard.length / 2 + 4000);
  expect(toneShare(middle, 440)).toBeGreaterThan(0.9);
  expect(site.ending()).toEqual({ result: 'completed', reason: 'caller-hung-up' });
});
