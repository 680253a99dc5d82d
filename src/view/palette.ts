/**
 * Colours of heat, for every kind of terminal.
 *
 * The 24-bit ramp runs from near black over blue and red to pale yellow with steadily rising
 * lightness, so that it also reads in grey and for colour-blind eyes.
 */

export type ColorDepth = 'none' | '16' | '256' | 'truecolor';

export type Rgb = readonly [number, number, number];

const RAMP: readonly Rgb[] = [
  [8, 10, 28],
  [30, 30, 98],
  [84, 30, 128],
  [148, 40, 120],
  [206, 66, 88],
  [244, 120, 48],
  [252, 186, 56],
  [252, 248, 176],
];

/** Characters of rising density for terminals without colour; index 0 is nothing at all. */
export const DENSITY = ' .:-=+*#%@';

/** 16-colour backgrounds of rising heat, as SGR foreground codes. */
const BASIC = [30, 34, 94, 35, 31, 91, 33, 93, 97];

/** Colour of `level` in 0..1. */
export function heatColor(level: number): Rgb {
  const at = Math.min(1, Math.max(0, level)) * (RAMP.length - 1);
  const low = Math.min(RAMP.length - 2, Math.floor(at));
  const part = at - low;
  const mix = (c: 0 | 1 | 2): number => Math.round(RAMP[low][c] * (1 - part) + RAMP[low + 1][c] * part);
  return [mix(0), mix(1), mix(2)];
}

/** Escape sequence that sets foreground (upper cell) and background (lower cell). */
export function colorPair(upper: number, lower: number, depth: Exclude<ColorDepth, 'none'>): string {
  if (depth === 'truecolor') {
    return `\x1b[38;2;${heatColor(upper).join(';')};48;2;${heatColor(lower).join(';')}m`;
  }
  if (depth === '256') return `\x1b[38;5;${to256(heatColor(upper))};48;5;${to256(heatColor(lower))}m`;
  return `\x1b[${basic(upper)};${basic(lower) + 10}m`;
}

/**
 * Two cells above each other, of which either may be unknown (NaN): an escape sequence and the character
 * that shows them, the terminal's own background where nothing is known.
 */
export function half(
  upper: number,
  lower: number,
  depth: Exclude<ColorDepth, 'none'>,
): readonly [code: string, glyph: string] {
  if (Number.isNaN(upper) && Number.isNaN(lower)) return [COLOR_RESET, ' '];
  if (Number.isNaN(lower)) return [`${COLOR_RESET}${cellColor(upper, depth)}`, '▀'];
  if (Number.isNaN(upper)) return [`${COLOR_RESET}${cellColor(lower, depth)}`, '▄'];
  return [colorPair(upper, lower, depth), '▀'];
}

/** Escape sequence of the foreground; nothing for what is unknown. */
export function cellColor(level: number, depth: Exclude<ColorDepth, 'none'>): string {
  if (Number.isNaN(level)) return '';
  if (depth === 'truecolor') return `\x1b[38;2;${heatColor(level).join(';')}m`;
  return depth === '256' ? `\x1b[38;5;${to256(heatColor(level))}m` : `\x1b[${basic(level)}m`;
}

export const COLOR_RESET = '\x1b[0m';

function basic(level: number): number {
  return BASIC[Math.min(BASIC.length - 1, Math.floor(level * BASIC.length))];
}

/** Nearest colour of the 6 x 6 x 6 cube of 256-colour terminals. */
function to256([r, g, b]: Rgb): number {
  const step = (value: number): number =>
    value < 48 ? 0 : value < 115 ? 1 : Math.min(5, Math.floor((value - 35) / 40));
  return 16 + 36 * step(r) + 6 * step(g) + step(b);
}

/** What the terminal behind a stream can show, by NO_COLOR, FORCE_COLOR, COLORTERM and TERM. */
export function detectColorDepth(
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): ColorDepth {
  const forced = env.FORCE_COLOR;
  if (forced === '0' || forced === 'false') return 'none';
  if (forced !== undefined) {
    return forced === '3'
      ? 'truecolor'
      : forced === '2'
        ? '256'
        : forced === '1'
          ? '16'
          : depthOfTerminal(env);
  }
  if ((env.NO_COLOR !== undefined && env.NO_COLOR !== '') || !isTerminal || env.TERM === 'dumb')
    return 'none';
  return depthOfTerminal(env);
}

function depthOfTerminal(env: Readonly<Record<string, string | undefined>>): ColorDepth {
  if (/^(truecolor|24bit)$/i.test(env.COLORTERM ?? '')) return 'truecolor';
  return /256/.test(env.TERM ?? '') ? '256' : '16';
}
