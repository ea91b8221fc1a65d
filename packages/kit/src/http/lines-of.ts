import type { Readable } from 'node:stream';

/**
 * The lines of a streamed answer in UTF-8, as they come and without their ends; what comes last without an end is none.
 * Ends with the answer, or where a line is longer than `mostCharacters`.
 */
export async function* linesOf(answer: Readable, mostCharacters: number): AsyncGenerator<string, void, undefined> {
  // Put together once it is whole: a long line comes in very many pieces.
  let begun: string[] = [];
  let characters = 0;
  for await (const piece of answer.setEncoding('utf8') as AsyncIterable<string>) {
    characters += piece.length;
    if (characters > mostCharacters) return;
    begun.push(piece);
    if (!piece.includes('\n')) continue;
    const lines = begun.join('').split('\n');
    const rest = lines.pop() ?? '';
    begun = [rest];
    characters = rest.length;
    yield* lines;
  }
}
