/**
 * A kdamonds file of damo, or a bare list of its schemes, as a scheme file of ours. Keys are the same, so little
 * changes: what means "no limit" is left out, bare numbers get the unit that damo gives them, and what the
 * kernel does without being told (consist, its histogram) is said.
 *
 * Source: reference userspace-tools sections 1.6 and 1.7.
 */
import { stringify } from 'yaml';
import { ThermoError } from '../memory/error.ts';
import { suggest } from '../memory/nearest-word.ts';
import { parseBytes, parseTimeUs } from '../memory/units.ts';
import { DEFAULT_ATTRS } from '../monitor/monitor.ts';
import { isBare, numberOf, type Quantity, samplesOf, timeOf } from '../schemes/scheme-reader.ts';
import { SCHEME_CODES } from '../schemes/validate.ts';
import { ACTIONS, FILTERS, METRICS, wordsOf } from '../schemes/vocabulary.ts';
import { collectProblems, readYaml } from '../yaml/read-yaml.ts';
import type { SourceDocument, YamlPath } from '../yaml/source-document.ts';

export interface Imported {
  /** A scheme file in the long form. */
  readonly text: string;
  /** What has no place in it. */
  readonly notes: readonly string[];
}

type Map = Readonly<Record<string, unknown>>;

const EXAMPLE = '{"kdamonds": [{"contexts": [...]}]}';

/**
 * @param file its name, for messages
 * @throws ThermoErrors with every problem found, by line and column
 */
export function fromDamo(text: string, file: string): Imported {
  return collectProblems((problems) => {
    const read = readYaml(text, file, SCHEME_CODES, EXAMPLE, problems);
    return read && new DamoReader(read.source, problems).file(read.value);
  });
}

class DamoReader {
  readonly #source: SourceDocument;
  readonly #problems: ThermoError[];
  readonly #notes: string[] = [];
  /** Of an aggregation interval. */
  #samples = samplesOf(DEFAULT_ATTRS);

  constructor(source: SourceDocument, problems: ThermoError[]) {
    this.#source = source;
    this.#problems = problems;
  }

  file(value: unknown): Imported | undefined {
    const contexts = this.#contexts(value);
    if (contexts === undefined) return undefined;
    const [first] = contexts;
    if (first.map !== undefined) this.#samples = samplesIn(first.map.intervals);
    const monitor = first.map === undefined ? undefined : this.#monitor(first.map, first.path);
    const schemes = contexts.flatMap(({ schemes: list, path }) =>
      list.map((scheme, i) => this.#scheme(scheme, [...path, i])),
    );
    if (contexts.length > 1)
      this.#notes.push(
        `${contexts.length} contexts become one file: intervals and regions are those of the first`,
      );
    if (schemes.length === 0) this.#fail([], 'there are no schemes', 'a scheme file holds at least one');
    const document = {
      version: 1,
      ...(monitor !== undefined && Object.keys(monitor).length > 0 ? { monitor } : {}),
      schemes,
    };
    return { text: stringify(document, { lineWidth: 0 }), notes: this.#notes };
  }

  /** Of each context the list of schemes with its path. */
  #contexts(
    value: unknown,
  ): { map: Map | undefined; path: YamlPath; schemes: readonly unknown[] }[] | undefined {
    if (Array.isArray(value)) return [{ map: undefined, path: [], schemes: value }];
    const top = this.#map(value, []);
    if (top === undefined) return undefined;
    if (top.kdamonds === undefined && Array.isArray(top.schemes))
      return [{ map: undefined, path: ['schemes'], schemes: top.schemes }];
    const kdamonds = this.#list(top.kdamonds, ['kdamonds']);
    if (kdamonds === undefined) return undefined;
    return kdamonds.flatMap((kdamond, k) =>
      (this.#list(this.#map(kdamond, ['kdamonds', k])?.contexts, ['kdamonds', k, 'contexts']) ?? []).map(
        (each, c) => {
          const path = ['kdamonds', k, 'contexts', c];
          const map = this.#map(each, path);
          this.#noteTargets(map);
          const schemes = map?.schemes === undefined ? [] : this.#list(map.schemes, [...path, 'schemes']);
          return { map, path: [...path, 'schemes'], schemes: schemes ?? [] };
        },
      ),
    );
  }

  #noteTargets(context: Map | undefined): void {
    const targets = context?.targets;
    if (!Array.isArray(targets)) return;
    const regions = targets.flatMap((target) =>
      isMap(target) && Array.isArray(target.regions) ? target.regions : [],
    );
    if (regions.length > 0)
      this.#notes.push(
        `${regions.length} target regions are left out: which memory is watched is said where the file is run`,
      );
  }

  #monitor(context: Map, schemesPath: YamlPath): Map {
    const path = schemesPath.slice(0, -1);
    const monitor: Record<string, unknown> = {};
    const { intervals, nr_regions: nrRegions } = context;
    if (isMap(intervals)) {
      const goal = intervals.intervals_goal;
      const isTuned = isMap(goal) && numberIn(goal.aggrs) > 0;
      monitor.intervals = {
        sample_us: intervals.sample_us,
        aggr_us: intervals.aggr_us,
        ...(isTuned
          ? {
              intervals_goal: {
                access_bp: goal.access_bp,
                aggrs: numberIn(goal.aggrs),
                min_sample_us: goal.min_sample_us,
                max_sample_us: goal.max_sample_us,
              },
            }
          : {}),
      };
    }
    if (isMap(nrRegions)) monitor.nr_regions = { min: numberIn(nrRegions.min), max: numberIn(nrRegions.max) };
    for (const key of ['probes', 'sample_control']) {
      if (Array.isArray(context[key]) ? context[key].length > 0 : context[key] !== undefined)
        this.#notes.push(`${key} of ${path.join('/')} is left out: no counterpart`);
    }
    return monitor;
  }

  #scheme(value: unknown, path: YamlPath): Map {
    const map = this.#map(value, path) ?? {};
    const action = this.#word(map.action ?? 'stat', wordsOf(ACTIONS), [...path, 'action'], 'actions');
    const quotas = this.#quotas(map.quotas, [...path, 'quotas']);
    const dests = Array.isArray(map.dests) ? map.dests : [];
    const filters = this.#filters(map.filters, [...path, 'filters']);
    return pruned({
      action,
      access_pattern: this.#pattern(map.access_pattern),
      target_nid:
        dests.length === 0 && numberIn(map.target_nid ?? -1) >= 0 ? numberIn(map.target_nid) : undefined,
      dests: dests.length > 0 ? dests : undefined,
      apply_interval_us: isNothing(map.apply_interval_us, parseTimeUs) ? undefined : map.apply_interval_us,
      quotas,
      watermarks: isMap(map.watermarks) && map.watermarks.metric !== 'none' ? map.watermarks : undefined,
      filters: filters.length > 0 ? filters : undefined,
      max_nr_snapshots: numberIn(map.max_nr_snapshots ?? 0) > 0 ? numberIn(map.max_nr_snapshots) : undefined,
    });
  }

  #pattern(value: unknown): Map | undefined {
    if (!isMap(value)) return undefined;
    const range = (key: string, isOpen: (max: Quantity) => boolean, withUnit = (each: Quantity) => each) => {
      const { min, max } = isMap(value[key]) ? value[key] : {};
      return pruned({
        min: isZero(min) ? undefined : withUnit(min as Quantity),
        max:
          max === undefined || isMax(max) || isOpen(max as Quantity) ? undefined : withUnit(max as Quantity),
      });
    };
    // A bare number is a percentage to damo. At least all samples is more than all but one: the rate is finite.
    const rate = (each: Quantity): Quantity => {
      const text = isBare(each) ? `${numberOf(each)} %` : String(each);
      const share = /^([\d.,]+) *(%|samples?)$/.exec(text);
      if (share === null || numberOf(share[1]) !== (share[2] === '%' ? 100 : this.#samples)) return text;
      return `> ${this.#samples - 1} samples`;
    };
    const isAll = (max: Quantity): boolean =>
      !/sample/.test(String(max)) && Number.parseFloat(String(max).replace(/,/g, '')) >= 100;
    const isUintMax = (max: Quantity): boolean =>
      Number.parseFloat(String(max).replace(/,/g, '')) >= 2 ** 32 - 1;
    return pruned({
      sz_bytes: range('sz_bytes', (max) => isBare(max) && numberOf(max) >= Number.MAX_SAFE_INTEGER),
      nr_accesses: range('nr_accesses', (max) => isAll(max) || isUintMax(max), rate),
      age: range('age', (max) => /aggr_interval/.test(String(max)) && isUintMax(max)),
    });
  }

  #quotas(value: unknown, path: YamlPath): Map | undefined {
    if (!isMap(value)) return undefined;
    const goals = value.goals === undefined ? [] : (this.#list(value.goals, [...path, 'goals']) ?? []);
    const hasTime = !isNothing(value.time_ms, parseTimeUs);
    const hasSize = !isNothing(value.sz_bytes, parseBytes);
    if (!hasTime && !hasSize && goals.length === 0) return undefined;
    const isEndless = isMax(value.reset_interval_ms);
    if (isEndless)
      this.#fail([...path, 'reset_interval_ms'], 'a window that never ends', 'give it a length such as 1 s');
    const chargeDenom = numberIn(value.fail_charge_denom ?? 0);
    return pruned({
      time_ms: hasTime ? value.time_ms : undefined,
      sz_bytes: hasSize ? value.sz_bytes : undefined,
      reset_interval_ms: isEndless ? undefined : value.reset_interval_ms,
      prioritize: 'damon',
      weights: isMap(value.weights) ? value.weights : undefined,
      fail_charge_num: chargeDenom > 0 ? numberIn(value.fail_charge_num) : undefined,
      fail_charge_denom: chargeDenom > 0 ? chargeDenom : undefined,
      goals: goals.length > 0 ? goals.map((goal, i) => this.#goal(goal, [...path, 'goals', i])) : undefined,
      goal_tuner: goals.length > 0 ? (value.goal_tuner ?? 'consist') : undefined,
    });
  }

  #goal(value: unknown, path: YamlPath): Map {
    const map = this.#map(value, path) ?? {};
    const metric = this.#word(map.metric, wordsOf(METRICS), [...path, 'metric'], 'metrics');
    const of = metric in METRICS ? METRICS[metric as keyof typeof METRICS].of : 'machine';
    return pruned({
      metric,
      nid: of === 'machine' ? undefined : numberIn(map.nid ?? 0),
      memcg_path: of === 'memcg' ? map.memcg_path : undefined,
      target_value: map.target_value,
      current_value: metric === 'user_input' ? numberIn(map.current_value ?? 0) : undefined,
    });
  }

  #filters(value: unknown, path: YamlPath): Map[] {
    if (value === undefined) return [];
    return (this.#list(value, path) ?? []).map((each, i) => {
      const map = this.#map(each, [...path, i]) ?? {};
      const type = this.#word(map.filter_type, wordsOf(FILTERS), [...path, i, 'filter_type'], 'filters');
      return pruned({
        filter_type: type,
        matching: this.#boolean(map.matching ?? true, [...path, i, 'matching']),
        // Before it was called "allow".
        allow: this.#boolean(map.allow ?? map.filter_pass ?? false, [...path, i, 'allow']),
        memcg_path: type === 'memcg' ? map.memcg_path : undefined,
        address_range: type === 'addr' ? rangeOf(map.address_range, 'start', 'end') : undefined,
        damon_target_idx: type === 'target' ? numberIn(map.damon_target_idx) : undefined,
        hugepage_size: type === 'hugepage_size' ? rangeOf(map.hugepage_size, 'min', 'max') : undefined,
      });
    });
  }

  #boolean(value: unknown, path: YamlPath): boolean {
    if (typeof value === 'boolean') return value;
    if (/^(y|yes|true)$/i.test(String(value))) return true;
    if (!/^(n|no|false)$/i.test(String(value)))
      this.#fail(path, `"${String(value)}" is neither true nor false`, 'expected true or false');
    return false;
  }

  #word(value: unknown, known: readonly string[], path: YamlPath, kind: string): string {
    const word = String(value);
    if (!known.includes(word))
      this.#fail(path, `unknown ${kind.slice(0, -1)} "${word}"`, suggest(word, known, kind));
    return word;
  }

  #map(value: unknown, path: YamlPath): Map | undefined {
    if (isMap(value)) return value;
    this.#fail(path, 'this is no map', `expected for example ${EXAMPLE}`);
    return undefined;
  }

  #list(value: unknown, path: YamlPath): readonly unknown[] | undefined {
    if (Array.isArray(value)) return value;
    this.#fail(path, `"${path.at(-1)}" is no list`, `expected for example ${EXAMPLE}`);
    return undefined;
  }

  #fail(path: YamlPath, message: string, hint: string): void {
    const where = this.#source.at(this.#source.offsetOf(path));
    this.#problems.push(new ThermoError('THERMO_SCHEME_BAD_VALUE', message, { where, hint }));
  }
}

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without what is undefined or an empty map. */
function pruned(map: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(map).filter(
      ([, value]) => value !== undefined && !(isMap(value) && Object.keys(value).length === 0),
    ),
  );
}

function isMax(value: unknown): boolean {
  return /^max$/i.test(String(value)) || numberIn(value) >= Number.MAX_SAFE_INTEGER;
}

function isZero(value: unknown): boolean {
  return value === undefined || value === null || Number.parseFloat(String(value)) === 0 || value === 'min';
}

/** 0 with or without a unit, or nothing at all; what cannot be read is something. */
function isNothing(value: unknown, parse: (text: string) => number): boolean {
  if (isZero(value)) return true;
  try {
    return parse(String(value)) === 0;
  } catch {
    return false;
  }
}

/** A plain number, which damo may write as "1,000"; NaN of what is none. */
function numberIn(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' ? numberOf(value) : Number.NaN;
}

function rangeOf(value: unknown, first: string, second: string): unknown {
  if (Array.isArray(value)) return value;
  return isMap(value) ? { [first]: value[first], [second]: value[second] } : value;
}

function samplesIn(intervals: unknown): number {
  if (!isMap(intervals)) return samplesOf(DEFAULT_ATTRS);
  try {
    return samplesOf({
      sampleUs: timeOf(intervals.sample_us as Quantity, 1),
      aggrUs: timeOf(intervals.aggr_us as Quantity, 1),
    });
  } catch {
    // What is wrong with them is said where the scheme file is read.
    return samplesOf(DEFAULT_ATTRS);
  }
}
