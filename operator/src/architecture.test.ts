import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = import.meta.dirname;

/** Folder -> the folders and packages it may import. Its own files and node: are always allowed. */
const allowed: Record<string, readonly string[]> = {
  api: ['contract', 'base', 'zod'],
  kube: ['base', '@kubernetes/client-node', 'undici'],
  runtime: ['base', 'kube', 'prom-client'],
  pods: ['base', 'contract', 'api', 'kube'],
  controllers: ['base', 'contract', 'api', 'kube', 'runtime', 'pods'],
  http: ['base', 'fastify', 'prom-client'],
};

const importOf = /(?:^|\n)(?:import|export)\b[^'";]*?from '([^']+)'|import\('([^']+)'\)/g;

function targetOf(file: string, name: string): string {
  if (name.startsWith('.'))
    return relative(root, join(dirname(join(root, file)), name)).split('/')[0] ?? '';
  if (name.startsWith('@parley/connector/')) return name.split('/')[2] ?? '';
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

test.each(folders)('%s imports only what the table allows', (folder) => {
  const may = new Set([...(allowed[folder] ?? []), folder]);
  const stray = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((entry) => `${folder}/${entry}`)
    .filter((file) => file.endsWith('.ts') && !/\.(test|case)\.ts$/.test(file))
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(importOf)]
        .map(([, a, b]) => a ?? b ?? '')
        .filter((name) => !name.startsWith('node:') && !may.has(targetOf(file, name)))
        .map((name) => `${file} -> ${name}`),
    );
  expect(stray).toEqual([]);
});

test('the table names every folder', () => {
  expect(folders.filter((folder) => !(folder in allowed))).toEqual([]);
});
