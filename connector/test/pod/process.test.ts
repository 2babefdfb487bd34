import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';

/** The program itself, as a container runs it. */

const main = resolve(import.meta.dirname, '../../src/main.ts');
const env = {
  PATH: process.env['PATH'] ?? '',
  PARLEY_SIP_LISTEN: 'udp://127.0.0.1:28401,tcp://127.0.0.1:28401',
  PARLEY_HTTP_LISTEN: '127.0.0.1:28402',
  PARLEY_RTP_PORTS: '28416-28447',
  PARLEY_RTP_ADDRESS: '127.0.0.1',
};

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function settingsOf(level: string): string {
  const local = { intents: [{ name: 'hi', phrases: ['hello'] }] };
  return JSON.stringify({ log: { level }, agent: { maxCalls: 8, providers: [{ local }] } });
}

function configFile(level = 'info'): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-process-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'connector.json');
  writeFileSync(file, settingsOf(level));
  chmodSync(folder, 0o755);
  return file;
}

interface Running {
  readonly child: ChildProcess;
  /** Lines of log and errors. */
  readonly said: string[];
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

function run(command: readonly string[], over: Record<string, string> = {}): Running {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    env: { ...env, ...over },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => void said.push(...text.toString().trim().split('\n')));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  closing.push(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, said, ended };
}

const connector = () => [process.execPath, main, 'run', configFile()];

function isReady(): Promise<boolean> {
  return fetch('http://127.0.0.1:28402/readyz').then(
    ({ ok }) => ok,
    () => false,
  );
}

async function takeUdp(port: number): Promise<void> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  closing.push(() => new Promise<void>((done) => socket.close(() => done())));
}

async function takeTcp(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => new Promise((done) => server.close(done)));
}

test.each([
  { name: 'UDP port of SIP', take: () => takeUdp(28_401), names: 'udp 127.0.0.1:28401' },
  { name: 'TCP port of SIP', take: () => takeTcp(28_401), names: 'tcp 127.0.0.1:28401' },
  { name: 'port of HTTP', take: () => takeTcp(28_402), names: '127.0.0.1:28402' },
  { name: 'port of RTCP', take: () => takeUdp(28_431), names: '127.0.0.1 are taken: 28431' },
])('a $name that another has is exit code 98 and named in the log', async ({ take, names }) => {
  await take();
  const { ended, said } = run(connector(), { PARLEY_RTP_CHECK_PORTS: 'true' });
  expect(await ended).toBe(98);
  const lines = said.filter((line) => line.startsWith('{'));
  expect(lines.at(-1)).toContain(names);
  expect(lines.at(-1)).toContain('the connector cannot start');
});

const isAlive = (): Promise<boolean> =>
  fetch(`http://${env.PARLEY_HTTP_LISTEN}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

test('a SIGTERM that comes while it starts ends it in peace', async () => {
  const { child, ended, said } = run([process.execPath, main, 'run', configFile()]);
  // Its workers are being made by then.
  await expect.poll(isAlive, { timeout: 10_000, interval: 2 }).toBe(true);
  child.kill('SIGTERM');
  expect([await ended, said.filter((line) => !line.startsWith('{'))]).toEqual([0, []]);
});

test('an RTP port that is taken is found out by the check only', async () => {
  await takeUdp(28_431);
  const { child, ended } = run(connector());
  await expect.poll(isReady, { timeout: 15_000 }).toBe(true);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('an address that is not here is another failure', async () => {
  const { ended } = run(connector(), {
    PARLEY_RTP_ADDRESS: '198.51.100.7',
    PARLEY_RTP_CHECK_PORTS: 'true',
  });
  expect(await ended).toBe(1);
});

test('a file that is edited in place counts, its log level too', async () => {
  const file = configFile('silent');
  const { said } = run([process.execPath, main, 'run', file]);
  await expect.poll(isReady, { timeout: 15_000 }).toBe(true);
  expect(said).toEqual([]);
  writeFileSync(file, settingsOf('info'));
  await expect
    .poll(() => said.join('\n'), { timeout: 5000 })
    .toContain('the changed configuration is in use');
});

/** Makes every mount read-only, proves it, and runs the rest of the command line as user 1000. */
const readOnlyAs1000 = `
for at in $(findmnt -rno TARGET -t nosysfs,noproc,nocgroup2); do
  mount -o remount,bind,ro "$at" 2>/dev/null
done
touch /tmp/parley-$$ 2>/dev/null && exit 77
exec setpriv --reuid 1000 --regid 1000 --clear-groups "$@"`;

/** Process 1 of a PID namespace, everything read-only, user 1000. Needs root to set up. */
const inContainer = [
  'unshare',
  '--mount',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
  'sh',
  '-c',
  readOnlyAs1000,
  'sh',
];

test.skipIf(process.getuid?.() !== 0)(
  'as process 1 of a read-only container it runs, and ends at SIGTERM',
  async () => {
    const { child, ended, said } = run([...inContainer, ...connector()]);
    await expect.poll(isReady, { timeout: 15_000 }).toBe(true);
    await expect.poll(() => said.join('\n'), { timeout: 15_000 }).toContain('provider is ready');
    expect(said.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    process.kill(pidOfChild(child), 'SIGTERM');
    expect(await ended).toBe(0);
    expect(said.join('\n')).toContain('"stopped"');
  },
);

function pidOfChild({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}
