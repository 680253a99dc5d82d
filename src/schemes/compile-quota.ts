/** `quotas` of the long form: limits, order, goals and their tuner. */
import { ThermoError } from '../memory/error.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { parseByteRate, parseShare } from '../memory/units.ts';
import type { Goal, LongScheme, Quotas } from './schema.ts';
import type { SchemeGoal, SchemeQuota } from './scheme.ts';
import {
  isBare,
  numberOf,
  permilOf,
  type Quantity,
  type SchemeReader,
  sizeOf,
  timeOf,
} from './scheme-reader.ts';
import { type GoalMetric, METRICS } from './vocabulary.ts';

const DEFAULT_WINDOW_US = 1e6;
const UNLIMITED = Number.POSITIVE_INFINITY;

export function compileQuota(long: LongScheme, reader: SchemeReader): SchemeQuota {
  const quotas = long.quotas ?? {};
  const goals = (quotas.goals ?? []).map((goal, i) => compileGoal(goal, `quotas/goals/${i}`, reader));
  if (quotas.top !== undefined && !(Number.isSafeInteger(quotas.top) && quotas.top >= 1)) {
    reader.fail(
      'quotas/top',
      'top needs a whole number of regions, at least 1',
      'expected for example top 1000',
    );
  }
  const { goal_tuner: tuner = 'settle' } = quotas;
  if (goals.length === 0 && tuner !== 'settle') {
    reader.fail(
      'quotas/goal_tuner',
      `the tuner ${tuner} has no goal to follow`,
      'add a goal, or leave the tuner out',
    );
  }
  const resetIntervalUs = compileWindow(quotas, goals.length > 0, reader);
  return {
    szBytes: compileSize(quotas, reader),
    timeUs: compileTime(quotas, resetIntervalUs, reader),
    resetIntervalUs,
    top: quotas.top ?? UNLIMITED,
    prioritize: quotas.prioritize ?? 'exact',
    weights: compileWeights(quotas, reader),
    failCharge: compileFailCharge(quotas, reader),
    goals,
    tuner,
  };
}

function compileSize(quotas: Quotas, reader: SchemeReader): number {
  const szBytes = reader.read('quotas/sz_bytes', quotas.sz_bytes, UNLIMITED, sizeOf);
  if (szBytes === 0) {
    reader.fail(
      'quotas/sz_bytes',
      'a quota of 0 bytes lets the scheme do nothing',
      "leave the quota out for no limit (DAMON's 0), or give it at least 4 KiB",
    );
  } else if (szBytes < PAGE_SIZE) {
    reader.fail(
      'quotas/sz_bytes',
      `a quota of ${szBytes} bytes is less than a page`,
      'expected at least 4 KiB',
    );
  }
  return szBytes;
}

function compileTime(quotas: Quotas, windowUs: number, reader: SchemeReader): number {
  const timeUs = reader.read('quotas/time_ms', quotas.time_ms, UNLIMITED, (value) => timeOf(value, 1000));
  if (timeUs === 0) {
    reader.fail(
      'quotas/time_ms',
      'a quota of no time lets the scheme do nothing',
      "leave it out for no limit (DAMON's 0), or give it for example 10ms",
    );
  }
  if (Number.isFinite(timeUs) && timeUs > windowUs) {
    reader.fail(
      'quotas/time_ms',
      'a quota of more time than its window has limits nothing',
      'expected less than the window, for example 10ms/s',
    );
  }
  return timeUs;
}

function compileWindow(quotas: Quotas, hasGoals: boolean, reader: SchemeReader): number {
  const path = 'quotas/reset_interval_ms';
  const windowUs = reader.read(path, quotas.reset_interval_ms, DEFAULT_WINDOW_US, (value) =>
    timeOf(value, 1000),
  );
  if (!(windowUs > 0)) {
    reader.fail(path, 'a quota window cannot be 0 long', 'expected for example 1s');
  }
  if (hasGoals && windowUs === UNLIMITED) {
    reader.fail(
      path,
      'goals are looked at where a window ends, and this one never does',
      'expected for example 1s',
    );
  }
  return windowUs;
}

function compileWeights(quotas: Quotas, reader: SchemeReader): SchemeQuota['weights'] {
  const { weights: given } = quotas;
  const before = reader.nrProblems;
  const weight = (key: 'sz_permil' | 'nr_accesses_permil' | 'age_permil', fallback: number): number =>
    reader.read(`quotas/weights/${key}`, given?.[key], fallback, permilOf);
  const weights = {
    sz: weight('sz_permil', 0),
    nrAccesses: weight('nr_accesses_permil', given === undefined ? 1 : 0),
    age: weight('age_permil', 0),
  };
  if (reader.nrProblems === before && weights.sz + weights.nrAccesses + weights.age === 0) {
    reader.fail(
      'quotas/weights',
      'all weights are 0: no region would come before another',
      'give one a weight, or leave weights out',
    );
  }
  return weights;
}

function compileFailCharge(quotas: Quotas, reader: SchemeReader): number {
  const { fail_charge_num: num, fail_charge_denom: denom } = quotas;
  if (num === undefined && denom === undefined) return 1;
  if (num === undefined || denom === undefined) {
    const [given, missing] = num === undefined ? ['denom', 'num'] : ['num', 'denom'];
    reader.fail(
      `quotas/fail_charge_${given}`,
      `fail_charge_${given} lacks fail_charge_${missing}`,
      'give both: 1 and 1000 charge a thousandth',
    );
    return 1;
  }
  // As the kernel: no ratio, full charge.
  if (denom === 0) return 1;
  if (num > denom) {
    reader.fail(
      'quotas/fail_charge_num',
      `fail_charge_num (${num}) is above fail_charge_denom (${denom})`,
      'expected num <= denom: bytes are charged once at most',
    );
    return 1;
  }
  return num / denom;
}

function compileGoal(goal: Goal, path: string, reader: SchemeReader): SchemeGoal {
  const { metric, nid, target, memcg_path: memcgPath } = goal;
  const { of, unit } = METRICS[metric];
  const where = reader.locate(path);
  const isOfNode = of !== 'machine';
  if (isOfNode && nid === undefined && target === undefined) {
    reader.fail(path, `${metric} is of a node or tier, and none is named`, 'give nid (0) or target (DRAM)');
  }
  const extra = nid === undefined ? 'target' : 'nid';
  if (!isOfNode && (nid !== undefined || target !== undefined)) {
    reader.fail(`${path}/${extra}`, `${metric} is of the whole machine, not of a node`, `leave ${extra} out`);
  }
  if (of === 'memcg' && memcgPath === undefined) {
    reader.fail(path, `${metric} is of a memory cgroup, and none is named`, 'give memcg_path, such as /app');
  }
  if (of !== 'memcg' && memcgPath !== undefined) {
    reader.fail(`${path}/memcg_path`, `${metric} is not of a memory cgroup`, 'leave memcg_path out');
  } else checkMemcgPath(memcgPath, `${path}/memcg_path`, reader);
  const targetValue = reader.read(`${path}/target_value`, goal.target_value, 1, (value) =>
    goalValue(value, metric),
  );
  if (targetValue === 0) {
    reader.fail(
      `${path}/target_value`,
      `a goal of 0 cannot be aimed at: how near ${metric} is to it is a ratio`,
      unit === 'bp' ? 'expected for example 0.5 %' : 'expected a value above 0',
    );
  } else if (!Number.isFinite(targetValue)) {
    reader.fail(`${path}/target_value`, 'a goal without an end is never reached', 'expected a finite value');
  }
  return {
    metric,
    targetValue,
    currentValue: reader.read(`${path}/current_value`, goal.current_value, 0, (value) =>
      goalValue(value, metric),
    ),
    place: isOfNode ? reader.placeOf(path, { nid, target }) : undefined,
    memcgPath,
    where,
  };
}

export function checkMemcgPath(memcgPath: string | undefined, path: string, reader: SchemeReader): void {
  if (memcgPath === undefined || memcgPath.startsWith('/')) return;
  reader.fail(
    path,
    `the cgroup "${memcgPath}" is no absolute path`,
    `expected a path from the root of the cgroup file system: /${memcgPath}`,
  );
}

/** In the unit of the metric; a bare number is in that unit. */
function goalValue(value: Quantity, metric: GoalMetric): number {
  const { unit } = METRICS[metric];
  switch (unit) {
    case 'us':
      return timeOf(value, 1);
    case 'bytes/s':
      return parseByteRate(typeof value === 'number' ? `${value}/s` : value);
    case 'number':
      if (isBare(value)) return numberOf(value);
      throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${value}" is not a number`, {
        hint: 'accepted: a number without a unit, from 0 on',
      });
    case 'bp':
      return bpOf(value, metric === 'slowdown_bp');
  }
}

/** 1/10000; only a slowdown may be more than all. */
function bpOf(value: Quantity, mayExceed: boolean): number {
  const most = mayExceed ? 1000 : 1;
  if (!isBare(value)) return roundBp(parseShare(String(value), most));
  const bp = numberOf(value);
  if (bp >= 0 && bp <= most * 10000) return bp;
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `${value} is more than ${most * 10000} (in 1/10000)`, {
    hint: `accepted: 0 to ${most * 10000}, or 0 % to ${most * 100} %`,
  });
}

/** 0.997 is 9970, not 9970.000000000001. */
function roundBp(share: number): number {
  return Number((share * 10000).toPrecision(12));
}
