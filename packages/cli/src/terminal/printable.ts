const controls = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
// Joiners and marks of direction are part of how people write; those that reorder a line are not.
const harmless = /\u200c|\u200d|\u200e|\u200f/;

/**
 * Returns a text of one line that a terminal shows as it is: what names and values from the network hold of escape
 * sequences and other controls becomes `\u001b`.
 */
export function printable(text: string): string {
  return text.replace(controls, (character) => (harmless.test(character) ? character : escaped(character)));
}

/** As JSON writes it, so that a printable JSON text says the same: two of them beyond U+FFFF. */
function escaped(character: string): string {
  let result = '';
  for (let at = 0; at < character.length; at++)
    result += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  return result;
}

/** As {@link printable}, and keeps the ends of lines and tabs. */
export function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.split('\t').map(printable).join('\t'))
    .join('\n');
}
