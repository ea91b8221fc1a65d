const mostShown = 200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const allUnprintable = new RegExp(unprintable, 'g');

/**
 * Returns a text that a peer chose as it may stand in a log line or an error: its first 200 characters, and what a
 * terminal or a reader of lines would take for a command written as `\u001b`.
 */
export function shown(text: string): string {
  const short = text.length > mostShown ? `${text.slice(0, mostShown)}...` : text;
  return unprintable.test(short) ? short.replace(allUnprintable, escaped) : short;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
