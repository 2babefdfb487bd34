import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../src/base/log.ts';
import { FileJournal } from '../../src/sip/journal/file-journal.ts';

test('a journal that cannot be written is tried again in proportion to what it holds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const journal = FileJournal.open(folder, silentLog);
  onTestFinished(() => journal.close());
  const keys = 1_000;
  for (let key = 0; key < keys; key++) journal.put(`key ${key}`, 0);
  // No new file can be made where a folder is.
  const obstacle = join(folder, 'journal.next');
  mkdirSync(obstacle);
  const large = 'x'.repeat(100_000);
  while (journal.stats.failures === 0) journal.put('large', large);
  for (let change = 0; change < keys; change++) journal.put('key 1', change);
  expect(journal.stats.failures).toBe(1);
  rmSync(obstacle, { recursive: true });
  journal.put('key 1', 'last');
  expect(journal.stats).toMatchObject({ failures: 1, keys: keys + 1 });
  const next = FileJournal.open(folder, silentLog);
  onTestFinished(() => next.close());
  expect(next.found.get('key 1')).toBe('last');
});
