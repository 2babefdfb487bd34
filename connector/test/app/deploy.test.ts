import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig, variables } from '../../src/config.ts';

const folder = resolve(import.meta.dirname, '../../../deploy');
const textOf = (name: string) => readFileSync(join(folder, name), 'utf8');

interface Compose {
  readonly services: {
    readonly connector: {
      readonly environment: Readonly<Record<string, string>>;
      readonly stop_grace_period: string;
      readonly build: { readonly context: string; readonly dockerfile: string };
      readonly healthcheck: { readonly test: readonly string[] };
    };
  };
}

const { connector } = (parse(textOf('compose.yaml')) as Compose).services;
const analyze = '/usr/bin/systemd-analyze';
const unit = textOf('systemd/parley-connector.service');

/** Seconds after which a stop is forced must not cut the drain short. */
function drainSeconds(): number {
  const text = '{"agent": {"providers": [{"openai": {"url": "ws://127.0.0.1:1"}}]}}';
  const result = parseConfig(text, { env: {}, readFile: () => '', addresses: [] });
  if ('problems' in result) throw new Error('the smallest configuration is wrong');
  return result.config.drain.timeoutSeconds;
}

test('compose.yaml passes on exactly the variables that the program reads', () => {
  expect(Object.keys(connector.environment).toSorted()).toEqual(variables.toSorted());
  for (const [name, value] of Object.entries(connector.environment))
    expect(value).toBe(`\${${name}:-}`);
});

test('.env.example names each of them once', () => {
  const names = textOf('.env.example')
    .split('\n')
    .flatMap((line) => /^#?([A-Z][A-Z_]+)=/.exec(line)?.[1] ?? []);
  expect(names.toSorted()).toEqual(variables.toSorted());
});

test('what compose.yaml builds and asks for is there', () => {
  const { context, dockerfile } = connector.build;
  expect(() => readFileSync(join(folder, context, dockerfile))).not.toThrow();
  const script = connector.healthcheck.test.at(-1)?.replaceAll('$$', '$') ?? '';
  const env = { PATH: process.env['PATH'], PARLEY_HTTP_LISTEN: '127.0.0.1:9' };
  // Nobody listens there: it must fail by its own exit code, not by a slip in the script.
  const { status, stderr } = spawnSync(process.execPath, ['--eval', script], { env });
  expect([status, stderr.toString()]).toEqual([1, '']);
});

test('neither compose nor systemd ends calls before the drain does', () => {
  const limit = drainSeconds();
  expect(Number(/^(\d+)s$/.exec(connector.stop_grace_period)?.[1])).toBeGreaterThan(limit);
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(limit);
});

test('the unit is one, and says nothing twice', () => {
  const settings = unit.split('\n').flatMap((line) => /^([A-Z]\w+)=/.exec(line)?.[1] ?? []);
  expect(settings).toEqual([...new Set(settings)]);
  for (const line of unit.split('\n')) expect(line).toMatch(/^(#.*|\[\w+\]|[A-Z]\w+=.*|)$/);
  // V8 compiles at run time.
  expect(settings).not.toContain('MemoryDenyWriteExecute');
});

test.runIf(existsSync(analyze))('systemd finds no fault in the unit', () => {
  const copy = mkdtempSync(join(tmpdir(), 'parley-unit-'));
  const file = join(copy, 'parley-connector.service');
  writeFileSync(
    file,
    unit.replace('/usr/bin/node', process.execPath).replace(/^Documentation=.*\n/m, ''),
  );
  const { stderr } = spawnSync(analyze, ['verify', '--man=no', file]);
  rmSync(copy, { recursive: true });
  expect(
    stderr
      .toString()
      .split('\n')
      .filter((line) => line.includes('parley')),
  ).toEqual([]);
});
