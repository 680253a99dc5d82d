/** Colours and shapes of plots: readable in light and dark, by colour-blind eyes, and without colour. */

export type Family = 'baseline' | 'per page' | 'per region';

export const FAMILIES: readonly Family[] = ['per region', 'per page', 'baseline'];

/** Name of a family as a CSS class. */
export const classOf = (family: Family): string => family.replace(' ', '-');

const LIGHT =
  '--ground:#fff;--ink:#1f2328;--faint:#59636e;--grid:#e4e7eb;--region:#0b5cad;--page:#b3470b;--base:#59636e;--front:#0b5cad';
const DARK =
  '--ground:#14171c;--ink:#e6e9ee;--faint:#9aa4b2;--grid:#2a3038;--region:#6cb2ff;--page:#ff9d5c;--base:#9aa4b2;--front:#6cb2ff';

/** For a whole page or a picture of its own. */
export const THEME = `:root{color-scheme:light dark;${LIGHT}}@media(prefers-color-scheme:dark){:root{${DARK}}}`;

export const PLOT_STYLE = [
  '.plot{font:11px system-ui,sans-serif;fill:var(--ink)}',
  '.plot .ground{fill:var(--ground)}',
  '.plot .frame{fill:none;stroke:var(--faint);stroke-width:1}',
  '.plot .grid{stroke:var(--grid);stroke-width:1}',
  '.plot .faint{fill:var(--faint)}',
  '.plot .reference{stroke:var(--base);stroke-width:1;stroke-dasharray:2 4}',
  '.plot .break{stroke:var(--faint);stroke-width:1;stroke-dasharray:4 3}',
  '.plot .leader{stroke:var(--faint);stroke-width:.6}',
  '.plot .front{fill:none;stroke:var(--front);stroke-width:1.6;stroke-linejoin:round;opacity:.7}',
  '.plot .title{font-weight:600;font-size:13px}',
  '.plot .head{font-weight:600;font-size:15px}',
  '.plot .best{font-weight:600}',
  // A rim in the ground's colour keeps points apart that lie on each other, and names legible on lines.
  '.plot .mark{stroke:var(--ground);stroke-width:1}',
  '.plot .name{paint-order:stroke;stroke:var(--ground);stroke-width:3px;stroke-linejoin:round}',
  '.plot .per-region{fill:var(--region)}',
  '.plot .per-page{fill:var(--page)}',
  '.plot .baseline{fill:var(--base)}',
  '.plot .hollow{fill:var(--ground);stroke-width:1.5}',
  '.plot .hollow.per-page{stroke:var(--page)}',
  '.plot .hollow.per-region{stroke:var(--region)}',
  '.plot .ring{fill:none;stroke:var(--front);stroke-width:1.5}',
].join('');

/** Shape of a family around a point: circle, square, diamond. */
export function mark(family: Family, x: number, y: number, extra = ''): string {
  const css = `mark ${classOf(family)}${extra}`;
  const [px, py] = [round(x), round(y)];
  switch (family) {
    case 'per region':
      return `<circle class="${css}" cx="${px}" cy="${py}" r="5"/>`;
    case 'per page':
      return `<rect class="${css}" x="${round(x - 4.5)}" y="${round(y - 4.5)}" width="9" height="9"/>`;
    case 'baseline':
      return `<path class="${css}" d="M${px} ${round(y - 6)}l6 6l-6 6l-6 -6z"/>`;
  }
}

export const round = (value: number): number => Math.round(value * 10) / 10;

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
