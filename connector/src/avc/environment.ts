/** The environment variables of the OpenSIPS AI Voice Connector: each stands for a key of a section. */

interface Variable {
  readonly name: string;
  readonly section: string;
  readonly key: string;
}

const flavour = (section: string, keys: Readonly<Record<string, string>>): Variable[] =>
  Object.entries(keys).map(([name, key]) => ({ name, section, key }));

export const avcVariables: readonly Variable[] = [
  { name: 'API_URL', section: 'engine', key: 'api_url' },
  { name: 'RTP_MIN_PORT', section: 'rtp', key: 'min_port' },
  { name: 'RTP_MAX_PORT', section: 'rtp', key: 'max_port' },
  { name: 'RTP_BIND_IP', section: 'rtp', key: 'bind_ip' },
  { name: 'RTP_IP', section: 'rtp', key: 'ip' },
  ...flavour('openai', {
    OPENAI_DISABLE: 'disabled',
    OPENAI_API_KEY: 'key',
    OPENAI_API_MODEL: 'model',
    OPENAI_URL: 'url',
    OPENAI_VOICE: 'voice',
    OPENAI_INSTRUCTIONS: 'instructions',
    OPENAI_WELCOME_MSG: 'welcome_message',
    OPENAI_TEMPERATURE: 'temperature',
    OPENAI_MAX_TOKENS: 'max_tokens',
    OPENAI_TURN_DETECT_TYPE: 'turn_detection_type',
    OPENAI_TURN_DETECT_SILENCE_MS: 'turn_detection_silence_ms',
    OPENAI_TURN_DETECT_THRESHOLD: 'turn_detection_threshold',
    OPENAI_TURN_DETECT_PREFIX_MS: 'turn_detection_prefix_ms',
    OPENAI_TRANSFER_TO: 'transfer_to',
    OPENAI_TRANSFER_BY: 'transfer_by',
    OPENAI_TOOLS: 'tools',
  }),
];

export type Env = Readonly<Record<string, string | undefined>>;

/** What the environment says about a section, the name of each variable beside its value. */
export function fromEnvironment(section: string, env: Env): Record<string, string> {
  const set = avcVariables.filter((one) => one.section === section && env[one.name]?.trim());
  return Object.fromEntries(set.map(({ key, name }) => [key, env[name]?.trim() ?? '']));
}
