/** What is allocated for a byte of large messages that was read. Twice as much makes V8's young heap grow instead. */
const share = 0.5;
const pieceBytes = 8 * 1024;
/** Eight bytes each, beside what the array itself takes. */
const pieceLength = pieceBytes / 8 - 6;

let owed = 0;
/** Of one call: what is stored nowhere, compilers leave out. */
const pieces: unknown[] = [];

/**
 * Allocates small objects and forgets them, in proportion to `bytes` of large messages that were read.
 *
 * Collecting the young heap is cheap and frees bodies too, but V8 does it when small objects have filled that heap, or
 * at 32 MiB of bodies. Before those, bodies reach the limit of the whole heap where that is small (8 to 40 MB, as of
 * most services), and each collection is a full one, of 10 to 30 ms. This lets the cheap one come first.
 */
export function fillYoungHeap(bytes: number): void {
  owed += bytes * share;
  for (; owed >= pieceBytes; owed -= pieceBytes) pieces.push(new Array(pieceLength));
  pieces.length = 0;
}
