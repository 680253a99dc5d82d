/** Breaking lines at spaces. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences take no room on the screen
const ESCAPES = /\x1b\[[0-9;]*m/g;

/** Breaks a line of plain or coloured text at spaces so that each part fits `width` where words allow. */
export function foldLine(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of text.split(' ')) {
    const length = word.replace(ESCAPES, '').length;
    if (line !== '' && used + 1 + length > width) {
      lines.push(line);
      line = word;
      used = length;
    } else {
      used += length + (line === '' ? 0 : 1);
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}
