import { Script } from './ai/local/script.ts';
import { readVocabulary } from './ai/local/vocabulary.ts';
import { readTls } from './app-sip.ts';
import { ConnectorError, messageOf } from './base/errors.ts';
import type { Config } from './config.ts';

/**
 * Finds what would keep a right-looking configuration from starting: certificates, and phrases that the
 * recogniser cannot know. Throws a ConnectorError CONFIG_INVALID with a line for each.
 */
export function checkParts(config: Config): void {
  const problems = [() => void readTls(config), ...scripts(config)].flatMap(problemOf);
  if (problems.length > 0) throw new ConnectorError('CONFIG_INVALID', problems.join('\n'));
}

function scripts({ agents }: Config): (() => void)[] {
  return agents
    .flatMap(({ agent }) => agent.providers)
    .flatMap((entry) =>
      'local' in entry ? [() => void new Script(entry.local, readVocabulary())] : [],
    );
}

function problemOf(step: () => void): string[] {
  try {
    step();
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}
