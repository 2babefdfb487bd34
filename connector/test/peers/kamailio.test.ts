import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { expectIdle, type Site, startSite } from '../app/site.ts';
import { makeCertificate } from '../sip-transport/certificates.ts';
import { toneShareInPieces } from '../support/goertzel.ts';
import { sipp } from '../support/sipp.ts';
import { TonePhone } from '../support/tone-phone.ts';
import { type Program, startProgram } from './program.ts';

/** Kamailio in front: the caller speaks UDP to it, it speaks TLS to us and stays in the route. */

const proxyUdp = '127.0.0.1:27200';
const proxyTls = '127.0.0.1:27201';
const connectorTls = '127.0.0.1:27202';

function proxyConfig(folder: string): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
enable_tls=yes
listen=udp:${proxyUdp}
listen=tls:${proxyTls}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "xlog.so"
loadmodule "tls.so"
modparam("tls", "config", "${folder}/tls.cfg")
modparam("rr", "enable_double_rr", 1)
event_route[core:worker-one-init] { xlog("L_ERR", "proxy is ready\\n"); }
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK") && t_check_trans()) { t_relay(); exit; }
    sl_send_reply("404", "Not here");
    exit;
  }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  record_route();
  $du = "sip:${connectorTls};transport=tls";
  t_relay();
}
`;
}

const proxyTlsConfig = (folder: string) => `[server:default]
method = TLSv1.2+
private_key = ${folder}/key.pem
certificate = ${folder}/cert.pem
[client:default]
method = TLSv1.2+
verify_certificate = yes
ca_list = ${folder}/ca.pem
`;

const folders: string[] = [];
let site: Site | undefined;
let proxy: Program | undefined;

afterEach(async () => {
  await proxy?.end();
  await site?.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function startBehindProxy(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-kamailio-'));
  folders.push(folder);
  const { cert, key, ca } = makeCertificate(['IP:127.0.0.1', 'DNS:localhost']);
  const files = {
    'cert.pem': cert,
    'key.pem': key,
    'ca.pem': ca,
    'kamailio.cfg': proxyConfig(folder),
    'tls.cfg': proxyTlsConfig(folder),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const [certFile, keyFile, caFile] = ['cert.pem', 'key.pem', 'ca.pem'].map((name) =>
    join(folder, name),
  );
  site = await startSite({
    agent: { greeting: undefined },
    sip: { listen: [`tls://${connectorTls}`], tls: { certFile, keyFile, caFile } },
    simulator: { isEcho: true },
  });
  proxy = await startProgram(
    ['kamailio', '-DD', '-E', '-f', join(folder, 'kamailio.cfg'), '-Y', folder],
    (line) => line.includes('proxy is ready'),
  );
  return site;
}

const scenario = (name: string) => join(import.meta.dirname, 'scenarios', `${name}.xml`);

test('a call through a TLS proxy carries audio, holds, resumes and ends by its route', async () => {
  const behind = await startBehindProxy();
  const phone = await TonePhone.open(27_210, 440);
  try {
    const result = await sipp({
      scenario: scenario('hold'),
      target: proxyUdp,
      flags: '-key rtp_port 27210',
    });
    expect(result).toEqual({ passed: true, errors: '' });
    const heard = phone.heard();
    expect(heard.length).toBeGreaterThan(8000);
    expect(toneShareInPieces(heard.slice(-8000), 440)).toBeGreaterThan(0.8);
  } finally {
    phone.close();
  }
  await expectIdle(behind);
  expect(behind.ending()).toEqual({ result: 'completed', reason: 'caller-hung-up' });
});

test('twenty calls share the one connection that the proxy opened', async () => {
  const behind = await startBehindProxy();
  const result = await sipp({
    scenario: scenario('short-call'),
    target: proxyUdp,
    flags: '-m 20 -r 10 -key rtp_port 27212',
  });
  expect(result).toEqual({ passed: true, errors: '' });
  await expectIdle(behind);
});
