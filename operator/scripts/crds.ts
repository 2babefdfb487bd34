import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { crdFiles } from './crd-yaml.ts';

/** Writes `crds/` from the schemas. */
const folder = resolve(import.meta.dirname, '../../crds');
mkdirSync(folder, { recursive: true });
for (const [name, text] of crdFiles()) writeFileSync(join(folder, name), text);
