import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A ConfigMap or Secret as kubelet mounts it: all of it is replaced at once, by one link. */
export class Volume {
  readonly folder = mkdtempSync(join(tmpdir(), 'parley-volume-'));
  #version = 0;

  /** `files`: text by path, as `openai/key`. */
  write(files: Readonly<Record<string, string>>): void {
    const version = `..version-${++this.#version}`;
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.folder, version, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    symlinkSync(version, join(this.folder, '..data_tmp'));
    renameSync(join(this.folder, '..data_tmp'), join(this.folder, '..data'));
    for (const path of Object.keys(files)) this.#link(path.split('/')[0] ?? '');
    const old = join(this.folder, `..version-${this.#version - 1}`);
    rmSync(old, { recursive: true, force: true });
  }

  #link(name: string): void {
    try {
      symlinkSync(join('..data', name), join(this.folder, name));
    } catch {
      // It is there since an earlier version.
    }
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
