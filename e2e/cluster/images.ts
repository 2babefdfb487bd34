import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { folders } from './layout.ts';
import { runArgs } from './shell.ts';

/** Storage of its own, so that nothing of the machine's is read or left. */
const storage =
  `--root ${join(folders.images, 'storage')} --runroot ${join(folders.images, 'run')} --storage-driver vfs`.split(
    ' ',
  );

export interface Image {
  /** `localhost/…:tag`; no registry is ever asked for it. */
  readonly name: string;
  readonly context: string;
  readonly file: string;
  readonly arguments?: Readonly<Record<string, string>>;
}

/** Builds an image from its Dockerfile and returns the archive that nodes import. */
export function buildImage({ name, context, file, arguments: values = {} }: Image): string {
  mkdirSync(folders.images, { recursive: true });
  const args = Object.entries(values).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  buildah('bud', '--isolation', 'chroot', '--layers', '-t', name, '-f', file, ...args, context);
  return exportImage(name);
}

export function exportImage(name: string): string {
  const archive = join(folders.images, `${name.replace(/[^a-z0-9.]+/g, '-')}.tar`);
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
export function ensurePauseImage(): string {
  const archive = join(folders.images, 'localhost-pause-1.tar');
  if (existsSync(archive)) return archive;
  const context = mkdtempSync(join(tmpdir(), 'parley-pause-'));
  runArgs('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(context, 'pause'), '.'], {
    cwd: resolve(import.meta.dirname, 'pause'),
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  const file = join(context, 'Dockerfile');
  writeFileSync(file, 'FROM scratch\nCOPY pause /pause\nUSER 65535\nENTRYPOINT ["/pause"]\n');
  buildImage({ name: 'localhost/pause:1', context, file });
  rmSync(context, { recursive: true });
  return archive;
}
