/** Prints a scheme in the long form, as YAML that can be run, with what it means in comments. */
import { stringify } from 'yaml';
import { formatBytes, formatTimeExact } from '../memory/units.ts';
import type { LoadedSchemes } from './load.ts';
import { formatMonitorBlock } from './monitor-block.ts';
import type { Bound, Scheme } from './scheme.ts';

/** The whole file in the long form; reading it back gives the same schemes. */
export function explainSchemes(loaded: LoadedSchemes): string {
  const monitor = formatMonitorBlock(loaded.monitor);
  const head = stringify({ version: 1, ...(monitor === undefined ? {} : { monitor }) });
  const parts = loaded.schemes.map((scheme) => {
    const comment = wrap(describeScheme(scheme), 92).map((line) => `  # ${line}\n`);
    const body = stringify([{ name: scheme.name, ...scheme.longForm }], { lineWidth: 0 });
    return comment.join('') + body.replace(/^/gm, '  ').replace(/ +$/, '');
  });
  return `${head}schemes:\n${parts.join('\n')}`;
}

/** One plain sentence of what a scheme does. */
export function describeScheme(scheme: Scheme): string {
  const { pattern, quota } = scheme;
  const what =
    scheme.action === 'stat'
      ? 'Counts'
      : `Moves to ${scheme.target}${scheme.from === undefined ? '' : `, from ${scheme.from},`} the`;
  const order = scheme.action === 'migrate_cold' ? 'coldest' : 'hottest';
  const conditions = [
    describeRange(pattern.minSzBytes, pattern.maxSzBytes, formatBytes, 'of size'),
    pattern.mustBeIdle
      ? 'without any access seen'
      : describeRange(
          pattern.minRatePerS,
          pattern.maxRatePerS,
          (perS) => `${Number(perS.toPrecision(4))}/s per page`,
          'accessed',
        ),
    describeRange(pattern.minAgeUs, pattern.maxAgeUs, formatTimeExact, 'for'),
  ].filter((text) => text !== '');
  const limits = [
    Number.isFinite(quota.szBytes)
      ? `at most ${formatBytes(quota.szBytes)} per ${formatTimeExact(quota.resetIntervalUs)}`
      : '',
    Number.isFinite(quota.top) ? `at most ${quota.top} regions per round` : '',
  ].filter((text) => text !== '');
  const when =
    scheme.applyIntervalUs > 0
      ? `every ${formatTimeExact(scheme.applyIntervalUs)}`
      : 'after each aggregation interval';
  const first =
    limits.length > 0 && scheme.action !== 'stat' ? `, ${order} first, ${limits.join(' and ')}` : '';
  return `${what} regions ${conditions.join(', ') || '(all of them)'}${first}; ${when}.`;
}

function describeRange(min: Bound, max: Bound, format: (value: number) => string, lead: string): string {
  const low =
    min.value > 0 || min.isOpen
      ? `${lead} ${min.isOpen ? 'more than' : 'at least'} ${format(min.value)}`
      : '';
  const high = Number.isFinite(max.value)
    ? `${lead} ${max.isOpen ? 'less than' : 'at most'} ${format(max.value)}`
    : '';
  return [low, high].filter((text) => text !== '').join(' and ');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
