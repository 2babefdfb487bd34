/** Longer pieces are cut at a comma or space, so that the first sound comes soon. */
const maxLength = 200;

/** A text in pieces to be synthesised one by one, in the characters the voice can say. */
export function sentencesOf(text: string): string[] {
  return speakable(text)
    .split(/(?<=[.!?])\s+/)
    .flatMap((sentence) => cut(sentence.trim()))
    .filter((sentence) => /[a-zA-Z0-9]/.test(sentence));
}

/** Flite knows ASCII; accents are dropped, signs of other scripts are silent. */
function speakable(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[‘’]/g, "'")
    .replaceAll(/[–—]/g, ', ')
    .replaceAll(/\p{Mark}/gu, '')
    .replaceAll(/[^\x20-\x7e]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function cut(sentence: string): string[] {
  if (sentence.length <= maxLength) return [sentence];
  const comma = sentence.lastIndexOf(', ', maxLength) + 1;
  const space = sentence.lastIndexOf(' ', maxLength);
  const end = comma > 0 ? comma : space > 0 ? space : maxLength;
  return [sentence.slice(0, end), ...cut(sentence.slice(end).trim())];
}
