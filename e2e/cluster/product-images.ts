import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { ensureBaseImage } from './base-image.ts';
import { archiveOf, buildah, buildImage, exportImage } from './images.ts';
import { attempt, run } from './shell.ts';

const checkout = resolve(import.meta.dirname, '../..');
const packages = ['package.json', 'package-lock.json', 'connector/package.json'];

/** What each image is made of; its tag is a hash of that. */
const inputs = {
  connector: ['connector/Dockerfile', 'connector/src'],
  operator: [
    'operator/Dockerfile',
    'operator/package.json',
    'operator/src',
    'connector/src/base',
    'connector/src/contract',
  ],
} as const;

type ImageName = keyof typeof inputs;

export interface BuiltImage {
  /** `localhost/parley-operator:TAG`; the tag names the content, so that no node runs an older one. */
  readonly name: string;
  readonly archive: string;
}

/** Builds the image if its content has none yet, and returns it. */
export function ensureImage(image: ImageName, say: (text: string) => void): BuiltImage {
  const base = ensureBaseImage(say);
  const tag = hashOf(['.dockerignore', ...packages, ...inputs[image]], base);
  const repository = `localhost/parley-${image}`;
  const name = `${repository}:${tag}`;
  const archive = archiveOf(name);
  if (existsSync(archive)) return { name, archive };
  say(`building the ${image} image (half a minute the first time, seconds after a change)`);
  const started = performance.now();
  const secrets = registrySettings();
  try {
    buildImage({
      name,
      context: checkout,
      file: join(checkout, image, 'Dockerfile'),
      arguments: { NODE_IMAGE: base },
      secrets: secrets.files,
    });
  } finally {
    rmSync(secrets.folder, { recursive: true });
  }
  removeOlder(repository, name);
  exportImage(name);
  say(`${image} image built in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  return { name, archive };
}

/** Twelve hex digits for the names and contents of files and folders. */
function hashOf(paths: readonly string[], base: string): string {
  const hash = createHash('sha256').update(base);
  for (const file of paths.flatMap((path) => filesOf(join(checkout, path))).toSorted())
    hash.update(`\0${relative(checkout, file)}\0`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

function filesOf(path: string): string[] {
  const isTest = /\.(test|case)\.ts$/;
  if (!existsSync(path)) return [];
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !isTest.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [path];
  }
}

/** How this machine reaches npm packages: registry, access and certificates, for the time of a build. */
function registrySettings(): { folder: string; files: Record<string, string> } {
  const folder = mkdtempSync(join(tmpdir(), 'parley-npm-'));
  const npmrc = join(folder, 'npmrc');
  writeFileSync(npmrc, `registry=${run('npm config get registry').trim()}\n`, { mode: 0o600 });
  const own = join(homedir(), '.npmrc');
  if (existsSync(own)) appendFileSync(npmrc, readFileSync(own));
  const ca = join(folder, 'ca.pem');
  const file = process.env['NODE_EXTRA_CA_CERTS'] ?? run('npm config get cafile').trim();
  writeFileSync(ca, existsSync(file) ? readFileSync(file) : '');
  return { folder, files: { npmrc, ca } };
}

/** Only the newest image of a kind is kept. */
function removeOlder(repository: string, name: string): void {
  const images = buildah('images', '--format', '{{.Name}}:{{.Tag}}').split('\n');
  for (const old of images) {
    if (!old.startsWith(`${repository}:`) || old === name) continue;
    attempt(`rm -f ${archiveOf(old)}`);
    try {
      buildah('rmi', old);
    } catch {
      // Another image is built on it.
    }
  }
}
