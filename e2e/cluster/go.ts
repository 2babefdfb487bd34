import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { run, runArgs } from './shell.ts';

const moduleFolder = resolve(import.meta.dirname, 'kube');
const progressInterval = 20_000;

/** Builds Go programs without C; `args` as in `go build`. A long build says how far it is. */
export async function goBuild(
  args: readonly string[],
  { cwd, say = () => undefined }: { readonly cwd: string; readonly say?: (text: string) => void },
): Promise<void> {
  const { program, env } = go();
  const child = spawn(program, ['build', '-v', '-trimpath', ...args], {
    cwd,
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...process.env, ...env, CGO_ENABLED: '0' },
  });
  let compiled = 0;
  const last: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    compiled++;
    last.push(line);
    if (last.length > 20) last.shift();
  });
  const timer = setInterval(() => say(`${compiled} packages compiled`), progressInterval);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`go build ended with ${code}:\n${last.join('\n')}`);
}

/**
 * The machine's Go, which since 1.21 fetches the version that go.mod asks for. An older one cannot, but
 * it can fetch that version as a module, and that runs.
 */
function go(): { program: string; env: Record<string, string> } {
  const version = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' });
  if (version.error)
    throw new Error('there is no go program; scripts/setup.sh cluster installs it');
  const [, minor = '0'] = /^go1\.(\d+)/.exec(version.stdout) ?? [];
  return Number(minor) >= 21 ? { program: 'go', env: {} } : fetchedGo();
}

function fetchedGo(): { program: string; env: Record<string, string> } {
  const [, wanted] =
    /^toolchain go(\S+)/m.exec(readFileSync(join(moduleFolder, 'go.mod'), 'utf8')) ?? [];
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const toolchain = `golang.org/toolchain@v0.0.1-go${wanted}.linux-${arch}`;
  // An old Go cannot read the go.mod of today.
  const listed = runArgs('go', ['mod', 'download', '-json', toolchain], { cwd: '/' });
  const { Dir: root } = JSON.parse(listed) as { Dir: string };
  // Modules are unpacked without the permission to run.
  run(`chmod u+w ${root} ${root}/bin ${root}/pkg/tool/linux_${arch}`);
  for (const folder of [join(root, 'bin'), join(root, 'pkg/tool', `linux_${arch}`)])
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o755);
  return { program: join(root, 'bin/go'), env: { GOROOT: root, GOTOOLCHAIN: 'local' } };
}
