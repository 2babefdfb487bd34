import { expect, test } from 'vitest';
import { FakeClock } from '../test/support/fake-clock.ts';
import { Reload } from './app-reload.ts';
import { ConnectorError } from './base/errors.ts';
import { type Log, silentLog } from './base/log.ts';
import { type Config, parseConfig, type Reading } from './config.ts';

function configOf(revision: string): Config {
  const agent = { providers: [{ openai: { url: 'ws://127.0.0.1:1' } }] };
  const result = parseConfig(JSON.stringify({ revision, agent }), {
    env: {},
    readFile: () => '',
    addresses: [],
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

/** A reading of files whose folder is not there: only asking again finds that they changed. */
function readingOf(revision: string, problems: string[] = []): Reading {
  const config = problems.length > 0 ? undefined : configOf(revision);
  return { config, problems, files: ['/nowhere/at/all/x.json'], fingerprint: revision };
}

function setUp(first = readingOf('r1')) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const applied: string[] = [];
  const note = (_: object, message: string) => void lines.push(message);
  const log: Log = { ...silentLog, info: note, warn: note, error: note };
  const files = { now: first, reads: 0 };
  const given: { apply: (config: Config) => string[] } = { apply: () => [] };
  const reload = new Reload({
    source: {
      first,
      read: () => {
        files.reads += 1;
        return files.now;
      },
    },
    apply: (config) => {
      const fixed = given.apply(config);
      applied.push(config.revision);
      return fixed;
    },
    clock,
    log,
  });
  return { clock, lines, applied, files, given, reload };
}

const poll = 10_000;

test('files that the system does not watch are read again every ten seconds', () => {
  const { clock, applied, files, reload } = setUp();
  reload.start();
  clock.advance(poll);
  expect([applied, files.reads]).toEqual([[], 2]);
  files.now = readingOf('r2');
  clock.advance(poll);
  clock.advance(poll);
  expect(applied).toEqual(['r2']);
  reload.close();
  reload.close();
  expect(clock.pending).toBe(0);
});

test('what changed between the first reading and the start counts', () => {
  const { applied, files, reload } = setUp();
  files.now = readingOf('r2');
  reload.start();
  reload.close();
  expect(applied).toEqual(['r2']);
});

test('a wrong file is refused and told once, until it is right', () => {
  const { clock, lines, applied, files, reload } = setUp();
  reload.start();
  files.now = readingOf('bad', ['x.json:1: a', 'x.json:2: b']);
  clock.advance(2 * poll);
  expect([reload.problem, applied]).toEqual(['x.json:1: a\nx.json:2: b', []]);
  files.now = readingOf('r1');
  clock.advance(poll);
  reload.close();
  expect([reload.problem, applied]).toEqual([undefined, ['r1']]);
  expect(lines).toEqual([
    'the changed configuration is refused',
    'the changed configuration is in use',
  ]);
});

test('what cannot be put to use is refused with its reason', () => {
  const { clock, applied, files, given, reload } = setUp();
  reload.start();
  given.apply = () => {
    throw new ConnectorError('CONFIG_INVALID', 'a word is not known');
  };
  files.now = readingOf('r2');
  clock.advance(poll);
  reload.close();
  expect([reload.problem, applied]).toEqual(['a word is not known', []]);
});

test('settings that need a restart are named', () => {
  const { clock, applied, files, given, reload } = setUp();
  reload.start();
  given.apply = () => ['sip.listen', 'rtp'];
  files.now = readingOf('r2');
  clock.advance(poll);
  reload.close();
  expect([reload.problem, applied]).toEqual(['needs a restart: sip.listen, rtp', ['r2']]);
});
