import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { crdFiles } from './crd-yaml.ts';

/** Writes the CRDs from the schemas, for kubectl and into the chart (Helm reads no file outside of it). */
const root = resolve(import.meta.dirname, '../..');
for (const folder of [join(root, 'crds'), join(root, 'charts/parley/files/crds')]) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of crdFiles()) writeFileSync(join(folder, name), text);
}
