import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeCertificate } from '../sip-transport/certificates.ts';
import { connected, createSrf } from './client.ts';
import { Peer } from './peer.ts';

const program = resolve(import.meta.dirname, '../../src/sip-server.ts');

let folder: string;
let secretFile: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sip-server-'));
  secretFile = write('secret', 'open sesame\n');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[];
}

/** Runs it until it says that it is ready. */
async function start(...flags: string[]): Promise<Started> {
  const child = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const lines: Record<string, unknown>[] = [];
  const ready = Promise.withResolvers<void>();
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    rest += chunk.toString();
    const parts = rest.split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as Record<string, unknown>));
    if (lines.some(({ msg }) => msg === 'ready')) ready.resolve();
  });
  child.on('exit', () => ready.reject(new Error('it ended')));
  await ready.promise;
  return { child, lines };
}

/** A file in the folder of the test; its path. */
function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

interface Ready {
  readonly drachtioPort: number;
  readonly listenPoints: readonly { protocol: string; address: string; port: number }[];
}

/** The line that says where it listens. */
function readyOf(lines: readonly Record<string, unknown>[]): Ready {
  return lines.find(({ msg }) => msg === 'ready') as unknown as Ready;
}

async function run(...flags: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'exit')) as [number];
  return { code, stdout, stderr };
}

test('it says where it listens, takes calls and ends on SIGTERM', async () => {
  const { child, lines } = await start(
    '--listen=udp://127.0.0.1:0',
    '--listen=tcp://127.0.0.1:0',
    '--drachtio=127.0.0.1:0',
    `--secret-file=${secretFile}`,
  );
  const ready = readyOf(lines);
  expect(ready.listenPoints.map(({ protocol }) => protocol)).toEqual(['udp', 'tcp']);
  const srf = createSrf();
  srf.use('options', (_, response) => response.send(200));
  await connected(srf, ready.drachtioPort, 'open sesame');
  const peer = await Peer.open();
  const port = ready.listenPoints[0]?.port ?? 0;
  peer.send(peer.compose('OPTIONS', `sip:127.0.0.1:${port}`), port);
  await peer.response(200);
  peer.close();
  srf.disconnect();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('it speaks TLS with the certificate of the flags', async () => {
  const { cert, key, ca } = makeCertificate(['IP:127.0.0.1']);
  const { lines } = await start(
    '--listen=tls://127.0.0.1:0',
    '--drachtio=127.0.0.1:0',
    `--secret-file=${secretFile}`,
    `--tls-cert=${write('cert.pem', cert)}`,
    `--tls-key=${write('key.pem', key)}`,
    `--tls-ca=${write('ca.pem', ca)}`,
  );
  const { port } = readyOf(lines).listenPoints[0] ?? {};
  const socket = connect({ host: '127.0.0.1', port: port ?? 0, ca });
  await once(socket, 'secureConnect');
  socket.write(
    [
      `OPTIONS sip:127.0.0.1:${port};transport=tls SIP/2.0`,
      'Via: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKtls',
      'From: <sip:a@b>;tag=a',
      'To: <sip:b@b>',
      'Call-ID: tls',
      'CSeq: 1 OPTIONS',
      'Max-Forwards: 70',
      'Content-Length: 0',
      '\r\n',
    ].join('\r\n'),
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  // Nobody is registered.
  expect(answer.toString()).toMatch(/^SIP\/2\.0 503 /);
  socket.destroy();
});

test.each([
  [['--lisen', 'x'], /--lisen/],
  [['--listen', 'udp://127.0.0.1:0'], /--secret-file is missing/],
  [['--listen', 'udp://127.0.0.1:0', '--secret-file', '/nowhere/x'], /--secret-file: .*ENOENT.*/],
])('%j is an error on one line, exit code 2', async (flags, message) => {
  const { code, stderr, stdout } = await run(...flags);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('a secret that everybody knows is refused where others can reach it', async () => {
  writeFileSync(secretFile, 'cymru');
  const flags = ['--listen', 'udp://127.0.0.1:0', '--secret-file', secretFile];
  const { code, stderr } = await run(...flags, '--drachtio', '0.0.0.0:0');
  expect(code).toBe(2);
  expect(stderr).toMatch(/--secret-file: the secret is one that everybody knows/);
});

test('a port that is taken is an error that names it, exit code 1', async () => {
  const peer = await Peer.open();
  const flags = ['--listen', `udp://${peer.address}`, '--secret-file', secretFile];
  const { code, stderr } = await run(...flags, '--drachtio', '127.0.0.1:0');
  expect(code).toBe(1);
  expect(stderr).toContain(String(peer.port));
  peer.close();
});

test('help is on standard output', async () => {
  const { code, stdout } = await run('--help');
  expect(code).toBe(0);
  expect(stdout).toContain('--secret-file');
});
