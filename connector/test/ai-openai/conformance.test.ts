import { sessionCase } from '../../src/ai/session.case.ts';
import type { Law } from '../../src/media/law.ts';
import { tone, toneFor } from '../support/openai-simulator.ts';
import { stageWith } from './stage.ts';

const tool = { name: 'order_status', description: 'Status of an order.', parameters: {} };

async function stageOf(dialect: 'ga' | 'beta', law: Law) {
  const { simulator, provider, close } = await stageWith({ dialect });
  simulator.behaviour.hear = (turn) => `Sentence ${turn}.`;
  // The caller's tone says nothing: what is asked for is told by its length.
  simulator.behaviour.reply = (turn) => {
    const isToolSentence = simulator.session.receivedAudioBytes > 8 * 2000;
    if (turn.kind === 'speech' && isToolSentence)
      return {
        text: '',
        audio: Buffer.alloc(0),
        toolCalls: [{ name: tool.name, arguments: '{"order":5}' }],
      };
    const text =
      turn.kind === 'speech'
        ? 'I heard you.'
        : (turn.instructions?.split('\n\n').at(-1) ?? 'It is ready.');
    return { text, audio: toneFor(text, law) };
  };
  return {
    provider,
    law,
    tool,
    sentence: tone(800, law),
    toolSentence: tone(1600, law),
    longText: 'This takes a while. '.repeat(10),
    lose: () => simulator.session.break(),
    close,
  };
}

sessionCase('openai, GA, mu-law', () => stageOf('ga', 'pcmu'));
sessionCase('openai, GA, A-law', () => stageOf('ga', 'pcma'));
sessionCase('openai, beta', () => stageOf('beta', 'pcmu'));
