/** Progress on stderr: one line that moves on a terminal, a plain line now and then in a log. */
import { formatSeconds } from '../memory/units.ts';
import type { Terminal } from './terminal.ts';

const REWRITE_MS = 100;
const LOG_MS = 10_000;
const BAR = 24;

export class Progress {
  readonly #terminal: Terminal;
  readonly #isQuiet: boolean;
  readonly #startMs = performance.now();
  #lastMs = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(terminal: Terminal, isQuiet: boolean) {
    this.#terminal = terminal;
    this.#isQuiet = isQuiet;
    // A log gets its first line only when the work turns out to be long.
    if (!terminal.canRewrite) this.#lastMs = this.#startMs;
  }

  /** @param share of the work done, 0..1, or NaN */
  update(label: string, share: number, detail: string): void {
    if (this.#isQuiet) return;
    const now = performance.now();
    const { canRewrite, stderr, width } = this.#terminal;
    if (now - this.#lastMs < (canRewrite ? REWRITE_MS : LOG_MS)) return;
    this.#lastMs = now;
    const percent = Number.isFinite(share) ? `${Math.floor(share * 100)} %` : '';
    const elapsed = (now - this.#startMs) / 1000;
    const eta = share > 0.02 && share < 1 ? `, ${formatSeconds((elapsed * (1 - share)) / share)} left` : '';
    if (!canRewrite) {
      stderr.write(`${label}: ${percent} ${detail}${eta}\n`);
      return;
    }
    const filled = Number.isFinite(share) ? Math.round(share * BAR) : 0;
    const bar = width >= 70 ? `[${'█'.repeat(filled)}${'·'.repeat(BAR - filled)}] ` : '';
    const line = `${label} ${bar}${percent.padStart(5)} ${detail}${eta}`;
    stderr.write(`\r\x1b[2K${line.slice(0, width - 1)}`);
    this.#isShown = true;
  }

  /** Removes the moving line. */
  end(): void {
    if (this.#isShown) this.#terminal.stderr.write('\r\x1b[2K');
    this.#isShown = false;
  }
}
