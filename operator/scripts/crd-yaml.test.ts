import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { crdFiles } from './crd-yaml.ts';

const folder = resolve(import.meta.dirname, '../../crds');

test('the files in crds/ are what the schemas say (npm run crds)', () => {
  const written = readdirSync(folder).map((name) => [
    name,
    readFileSync(join(folder, name), 'utf8'),
  ]);
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(crdFiles()));
});
