/** "did you mean": the known word nearest to a misspelt one. */

/** Edit distance counting insertions, deletions, substitutions and swaps of neighbours as one each. */
export function editDistance(a: string, b: string): number {
  const rows = a.length + 1;
  const columns = b.length + 1;
  const distance = new Uint16Array(rows * columns);
  for (let i = 0; i < rows; i++) distance[i * columns] = i;
  for (let j = 0; j < columns; j++) distance[j] = j;
  for (let i = 1; i < rows; i++) {
    for (let j = 1; j < columns; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(
        distance[(i - 1) * columns + j] + 1,
        distance[i * columns + j - 1] + 1,
        distance[(i - 1) * columns + j - 1] + same,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, distance[(i - 2) * columns + j - 2] + 1);
      }
      distance[i * columns + j] = best;
    }
  }
  return distance[rows * columns - 1];
}

/**
 * The word of `known` nearest to `word`, ignoring case, if it is near enough to be a likely
 * misspelling: at most 2 edits, and at most a third of the word (but always 1).
 */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  const lower = word.toLowerCase();
  if (lower.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.min(2, Math.floor(lower.length / 2))) + 1;
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean "age"? known keys: a, b, c`, or only the list. */
export function suggest(word: string, known: readonly string[], kind: string): string {
  const near = nearestWord(word, known);
  const list = `known ${kind}: ${known.join(', ')}`;
  return near === undefined ? list : `did you mean "${near}"? ${list}`;
}
