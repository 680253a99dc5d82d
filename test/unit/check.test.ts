import { readdirSync, readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { checkCommand } from '../../src/cli/commands/check.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { createPreset } from '../../src/machines/simulated/presets/index.ts';
import { ThermoErrors } from '../../src/memory/error.ts';
import type { MemoryNode } from '../../src/memory/tier.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { type MachineFacts, resolveSchemes } from '../../src/schemes/resolve.ts';
import { ACTIONS, FILTERS, isPageProperty, wordsOf } from '../../src/schemes/vocabulary.ts';
import { findWarnings, type SchemeWarning, type WarningFacts } from '../../src/schemes/warnings.ts';
import { renderProblem } from '../../src/view/problem.ts';

const ATTRS = { sampleUs: 5000, aggrUs: 100_000, minRegionSz: 4096 };

/** 128 GiB of DRAM and 128 GiB of CXL; it can do and tell everything. */
const MACHINE: MachineFacts = {
  name: 'two-tiers',
  nodes: createPreset('seed-test-2', { seed: 1 }).nodes,
  actions: wordsOf(ACTIONS),
  pageProperties: wordsOf(FILTERS).filter(isPageProperty),
  gauges: ['pressure', 'lru', 'accesses', 'access_time', 'memcg'],
};

function warn(sentences: readonly string[], more: Partial<WarningFacts> = {}): SchemeWarning[] {
  const facts: WarningFacts = { machine: MACHINE, attrs: ATTRS, reclaims: true, ...more };
  const text = `version: 1\nschemes:\n${sentences.map((each) => `- ${each}\n`).join('')}`;
  const { schemes } = loadSchemes(text, 'f', facts.attrs);
  return findWarnings(resolveSchemes(schemes, facts.machine), facts);
}

/** `CODE line:word`, the word being the one that is pointed at. */
function codes(sentences: readonly string[], more: Partial<WarningFacts> = {}): string[] {
  return warn(sentences, more).map(({ code, where }) => {
    const [word] = (where.source?.text.slice(where.source.caret) ?? '').split(' ');
    return `${code.replace('THERMO_WARN_', '')} ${where.line - 2}:${word}`;
  });
}

describe('what is legal and yet unwise is a warning; what is wise is none', () => {
  test.each<[string, string[], string[]]>([
    ['a quota larger than the target', ['promote to DRAM quota 129G/s'], ['QUOTA_ABOVE_TARGET 1:129G/s']],
    ['a quota as large as the target', ['promote to DRAM quota 128G/s'], []],
    ['a quota below a region', ['stat quota 4K/s'], []],
    ['a round before the regions change', ['stat every 99ms'], ['INTERVAL_BELOW_AGGREGATION 1:99ms']],
    ['a round as often as they do', ['stat every 100ms', 'demote every 1s'], []],
    ['hot in all samples', ['promote hot>19'], ['RATE_SATURATED 1:19']],
    ['hot in nearly all samples', ['promote hot>18', 'promote hot>90% named b'], []],
    ['a rate beyond all samples', ['promote hot>600/s'], ['RATE_SATURATED 1:600/s']],
    ['pageout of everything', ['pageout'], ['MATCHES_ALL 1:pageout']],
    ['pageout of the barely idle', ['pageout cold>0'], ['MATCHES_ALL 1:pageout']],
    ['pageout of the cold', ['pageout cold>1s'], []],
    ['hot memory down', ['promote to CXL'], ['WRONG_DIRECTION 1:CXL']],
    ['cold memory up', ['demote to DRAM'], ['WRONG_DIRECTION 1:DRAM']],
    ['hot memory spread by weight', ['promote to DRAM:2, CXL:1', 'promote to accessing node named b'], []],
    ['a full node', ['demote goal DRAM used 100%'], ['GOAL_UNREACHABLE 1:DRAM']],
    ['a nearly full node', ['demote goal DRAM used 99.99%', 'demote goal active 99% named b'], []],
    ['all accesses fast', ['promote goal fast-share 100%'], ['GOAL_UNREACHABLE 1:fast-share']],
    ['more than the quota', ['promote quota 100M/s goal migration 101M/s'], ['GOAL_UNREACHABLE 1:migration']],
    ['just the quota', ['promote quota 200M/2s goal migration 100M/s'], []],
    [
      'schemes that undo each other',
      ['promote hot>1 to DRAM', 'demote hot<5 to CXL'],
      ['SCHEMES_UNDO 2:demote'],
    ],
    ['schemes with a gap', ['promote hot>5 to DRAM', 'demote hot<5 to CXL'], []],
    [
      'the same rate at other ages',
      ['promote hot>1 for 5s..10s', 'demote hot<5 for 10s..20s'],
      ['SCHEMES_UNDO 2:demote'],
    ],
    ['the same rate at disjoint ages', ['promote hot>1 for 5s..9s', 'demote hot<5 for 10s..20s'], []],
    ['goals on both sides', ['promote hot>1 goal DRAM used 99%', 'demote hot<5 goal DRAM free 2%'], []],
    ['hot and cold', ['promote', 'demote'], []],
  ])('%s', (_what, sentences, expected) => {
    expect(codes(sentences)).toEqual(expected);
  });

  test('a quota below the smallest region', () => {
    const attrs = { ...ATTRS, minRegionSz: 2 ** 21 };
    expect(codes(['stat quota 2044K/s'], { attrs })).toEqual(['QUOTA_BELOW_REGION 1:2044K/s']);
    expect(codes(['stat quota 2M/s'], { attrs })).toEqual([]);
  });

  test('a promotion into memory where nothing makes room', () => {
    const unknown = { reclaims: undefined };
    const room = (gib: number) => ({ ...unknown, freeBytes: new Map([[0, gib * 2 ** 30]]) });
    expect(codes(['promote'], unknown)).toEqual(['NO_DEMOTION 1:promote']);
    expect(warn(['promote'], unknown)[0].why).toMatch(/own reclaim demotes/);
    expect(codes(['promote'], room(127))).toEqual(['NO_DEMOTION 1:promote']);
    expect(codes(['promote'], room(128))).toEqual([]);
    expect(codes(['promote', 'demote'], unknown)).toEqual([]);
    expect(codes(['promote', 'pageout cold>9s from DRAM'], unknown)).toEqual([]);
    expect(codes(['promote', 'pageout cold>9s from CXL'], unknown)).toEqual(['NO_DEMOTION 1:promote']);
    expect(codes(['promote'], { reclaims: true })).toEqual([]);
  });

  test('a promotion to DRAM is right below HBM, and a machine of one tier has no direction', () => {
    const [dram, cxl] = MACHINE.nodes;
    const hbm: MemoryNode = { ...dram, nid: 2, kind: 'HBM', hasCpus: false, adistance: 100 };
    expect(codes(['promote to DRAM'], { machine: { ...MACHINE, nodes: [dram, cxl, hbm] } })).toEqual([]);
    expect(codes(['promote from HBM to DRAM'], { machine: { ...MACHINE, nodes: [dram, cxl, hbm] } })).toEqual(
      ['WRONG_DIRECTION 1:DRAM'],
    );
    expect(codes(['promote to DRAM'], { machine: { ...MACHINE, nodes: [dram] } })).toEqual([]);
  });

  test('every warning says what, why and what to do', () => {
    const all = warn(['promote hot>19 to CXL quota 1000G/s every 1ms goal fast-share 100%', 'pageout'], {
      reclaims: undefined,
    });
    expect(all.length).toBeGreaterThan(4);
    for (const { message, why, hint } of all)
      for (const text of [message, why, hint]) expect(text).toMatch(/^\S.{10,}[^.]$/);
  });
});

function terminalOf(stdin: string): Terminal & { out(): string; err(): string } {
  const written = { out: '', err: '' };
  const sink = (key: 'out' | 'err') =>
    new Writable({
      write(chunk, _encoding, done) {
        written[key] += String(chunk);
        done();
      },
    });
  return {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: sink('out'),
    stderr: sink('err'),
    width: 100,
    commandLine: 'thermocline check',
    colorDepth: 'none',
    canRewrite: false,
    isInterrupted: () => false,
    listenForUndo: () => () => false,
    onExit: () => {},
    out: () => written.out,
    err: () => written.err,
  };
}

async function check(text: string, options: { json?: boolean; strict?: boolean; machine?: string } = {}) {
  const terminal = terminalOf(text);
  try {
    const status = await checkCommand('-', { machine: 'seed-test-2', ...options }, terminal);
    return { status, out: terminal.out(), err: terminal.err() };
  } catch (error) {
    if (!(error instanceof ThermoErrors)) throw error;
    return { status: 1, out: terminal.out(), err: error.errors.map((each) => renderProblem(each)).join('') };
  }
}

const UNWISE = `version: 1
schemes:
  - promote hot>5 to DRAM quota 200G/s every 10ms
  - demote hot<8 from DRAM
`;

const WRONG = `version: 1
monitor:
  intervals: {sample_us: 1s, aggr_us: 100ms}
schemes:
  - promote hot>5 to DRMA quotta 1G/s
  - demote cold>30s to HBM
  - action: migrate_hot
    acces_pattern: {}
  - {action: stat, quotas: {sz_bytes: 0, weights: {age_permil: 2000}}}
  - >-
    promote hot>30/s
    to fast top many
`;

describe('check', () => {
  test('prints every mistake of file, monitoring and machine, each with its line marked', async () => {
    const { status, out, err } = await check(WRONG);
    expect(status).toBe(1);
    expect(out).toBe('');
    await expect(err).toMatchFileSnapshot('../golden/check-problems.txt');
  });

  test('prints warnings on stderr and says what the file does on stdout', async () => {
    const { status, out, err } = await check(UNWISE);
    expect(status).toBe(0);
    expect(out).toMatch(/^-: 2 schemes, no problems, 3 warnings\n {2}promote: Moves to DRAM the regions/);
    await expect(err).toMatchFileSnapshot('../golden/check-warnings.txt');
  });

  test('--strict makes a warning exit status 1, and leaves a clean file at 0', async () => {
    expect((await check(UNWISE, { strict: true })).status).toBe(1);
    expect((await check('version: 1\nschemes: [promote, demote]\n', { strict: true })).status).toBe(0);
  });

  test('--json lists problems and warnings with line and column', async () => {
    const wrong = JSON.parse((await check(WRONG, { json: true })).out);
    expect(wrong).toMatchObject({ schema: 'thermocline.check/1', ok: false, schemes: [], warnings: [] });
    expect(wrong.problems.length).toBeGreaterThan(6);
    for (const { line, column } of wrong.problems) expect([line > 1, column > 0]).toEqual([true, true]);
    const unwise = await check(UNWISE, { json: true });
    expect(unwise.status).toBe(0);
    const report = JSON.parse(unwise.out);
    expect(report).toMatchObject({ ok: true, problems: [], schemes: ['promote', 'demote'] });
    expect(
      report.warnings.map(({ line, column }: { line: number; column: number }) => [line, column]),
    ).toEqual([
      [3, 33],
      [3, 46],
      [4, 5],
    ]);
  });
});

describe('the library of schemes', () => {
  const folder = new URL('../../schemes/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  test.each(files)('%s has neither problems nor warnings on the machine that it names', async (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const machine = /\bmachine ([a-z0-9]+-[a-z0-9-]+|bandwidth)\b/.exec(text)?.[1] ?? 'seed-test-2';
    const { status, err } = await check(text, { strict: true, machine });
    expect([status, err]).toEqual([0, '']);
  });
});

describe('a problem', () => {
  const render = (text: string, caret: number) =>
    renderProblem({
      message: 'wrong',
      hint: 'better',
      where: { file: 'f', line: 7, column: caret + 1, source: { text, caret } },
    }).split('\n');

  test('is shown with its line, and the word marked', () => {
    expect(render('  aeg: {min: 1s}', 2)).toEqual([
      'f:7:3: wrong',
      '  better',
      '    7 |   aeg: {min: 1s}',
      '      |   ^^^',
      '',
    ]);
    expect(render('a: "b c" d', 3)[3]).toBe('      |    ^^^^^');
    expect(render('a: [b, c]', 3)[3]).toBe('      |    ^^');
    expect(render('hot>5', 3)[3]).toBe('      |    ^');
    expect(render('a:', 2)[3]).toBe('      |   ^');
  });

  test('keeps tabs, so that the mark stands under the word', () => {
    expect(render('\ta:\tbb', 4)[3]).toBe('      | \t  \t^^');
  });

  test('shows the part of a long line that matters', () => {
    const [, , line, mark] = render(`${'x '.repeat(300)}here ${'y '.repeat(300)}`, 600);
    expect(line.length).toBeLessThan(120);
    expect(line.slice(mark.indexOf('^'), mark.lastIndexOf('^') + 1)).toBe('here');
  });

  test('without a place is said by the program', () => {
    expect(renderProblem({ message: 'wrong', where: undefined })).toBe('thermocline: wrong\n');
  });
});
