/** Runs everything that must hold, in order of cost, and ends with the line `N passed, N failed`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Tally {
  passed: number;
  failed: number;
}

const checks = {
  lint: ['oxlint', '--type-aware', '--deny-warnings'],
  format: ['biome', 'ci', '--colors=off'],
  types: ['tsc', '-b'],
  unused: ['knip'],
} as const;

/** The integration tests have a kube-apiserver of their own, the e2e tests a whole cluster. */
const kubernetes = ['node', 'e2e/cluster/main.ts', 'build'] as const;

function run(command: readonly string[]): boolean {
  const [program = '', ...args] = command;
  return spawnSync(program, args, { stdio: 'inherit' }).status === 0;
}

function runStep(name: string, command: readonly string[], tally: Tally): void {
  console.log(`\n== ${name}`);
  if (run(command)) tally.passed += 1;
  else tally.failed += 1;
}

/** A run that wrote no report (it crashed, or nothing matched) counts as one failure. */
function runProject(project: string, folder: string, tally: Tally): void {
  console.log(`\n== ${project}`);
  const file = join(folder, `${project}.json`);
  const ok = run([
    'vitest',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  tally.passed += countIn(file, 'numPassedTests');
  tally.failed += Math.max(countIn(file, 'numFailedTests'), ok ? 0 : 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The count under `key` of vitest's JSON report; 0 where there is no report. */
function countIn(file: string, key: 'numPassedTests' | 'numFailedTests'): number {
  if (!existsSync(file)) return 0;
  const report: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const count = isRecord(report) ? report[key] : undefined;
  return typeof count === 'number' ? count : 0;
}

const folder = mkdtempSync(join(tmpdir(), 'parley-test-'));
const tally: Tally = { passed: 0, failed: 0 };
for (const [name, command] of Object.entries(checks)) runStep(`check: ${name}`, command, tally);
runStep('kubernetes', kubernetes, tally);
for (const project of ['unit', 'integration', 'e2e']) runProject(project, folder, tally);
rmSync(folder, { recursive: true });
console.log(`\n${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
