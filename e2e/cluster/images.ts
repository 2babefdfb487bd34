import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { goBuild } from './go.ts';
import { folders } from './layout.ts';
import { runArgs } from './shell.ts';

/** Storage of its own, so that nothing of the machine's is read or left. */
const storage = [
  `--root=${join(folders.images, 'storage')}`,
  `--runroot=${join(folders.images, 'run')}`,
  '--storage-driver=overlay',
  '--storage-opt=overlay.skip_mount_home=true',
];

export interface Image {
  /** `localhost/…:tag`; no registry is ever asked for it. */
  readonly name: string;
  readonly context: string;
  readonly file: string;
  readonly arguments?: Readonly<Record<string, string>>;
  /** Files that steps may read and that stay out of the image, by the id that the Dockerfile names. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Builds an image from its Dockerfile; steps whose input is unchanged are taken from the last build. */
export function buildImage({ name, context, file, ...given }: Image): void {
  mkdirSync(folders.images, { recursive: true });
  const values = Object.entries(given.arguments ?? {}).map(
    ([key, value]) => `--build-arg=${key}=${value}`,
  );
  const secrets = Object.entries(given.secrets ?? {}).map(
    ([id, source]) => `--secret=id=${id},src=${source}`,
  );
  const options = ['--isolation=chroot', '--layers', '--pull-never', '-t', name, '-f', file];
  buildah('bud', ...options, ...values, ...secrets, context);
}

/** The archive of an image that nodes import. */
export function archiveOf(name: string): string {
  return join(folders.images, `${name.replace(/[^a-z0-9.]+/g, '-')}.tar`);
}

export function exportImage(name: string): string {
  const archive = archiveOf(name);
  rmSync(archive, { force: true });
  buildah('push', name, `docker-archive:${archive}:${name}`);
  return archive;
}

export function buildah(...args: string[]): string {
  return runArgs('buildah', [...storage, ...args], {
    env: { ...process.env, BUILDAH_LAYERS: 'true', TMPDIR: folders.images },
  });
}

/** The image every pod needs first. */
export async function ensurePauseImage(): Promise<string> {
  const name = 'localhost/pause:1';
  if (existsSync(archiveOf(name))) return archiveOf(name);
  const context = mkdtempSync(join(tmpdir(), 'parley-pause-'));
  const cwd = resolve(import.meta.dirname, 'pause');
  await goBuild(['-ldflags', '-s -w', '-o', join(context, 'pause'), '.'], { cwd });
  const file = join(context, 'Dockerfile');
  writeFileSync(file, 'FROM scratch\nCOPY pause /pause\nUSER 65535\nENTRYPOINT ["/pause"]\n');
  buildImage({ name, context, file });
  rmSync(context, { recursive: true });
  return exportImage(name);
}
