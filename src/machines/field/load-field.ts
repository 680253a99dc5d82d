/**
 * Reads the text of a field file (docs/fields.md). Everything that can be wrong is found here, with
 * line and column; making the field of a seed cannot fail any more.
 */
import type { ThermoError } from '../../memory/error.ts';
import { PAGE_SIZE } from '../../memory/range.ts';
import { formatBytes, parseBytes, parseEventRate, parseTimeUs } from '../../memory/units.ts';
import { collectProblems, readYaml } from '../../yaml/read-yaml.ts';
import { structureCheck, type YamlCodes } from '../../yaml/structure.ts';
import { ValueReader } from '../../yaml/value-reader.ts';
import type { FieldSource } from './access-field.ts';
import { type FieldFile, FieldFileSchema, type PhaseEntry } from './field-schema.ts';
import { fieldRandom } from './mulberry32.ts';
import { readArea } from './read-area.ts';
import { type AreaChange, type AreaMaker, timedField } from './timed-areas.ts';

const CODES: YamlCodes = {
  syntax: 'THERMO_FIELD_SYNTAX',
  unknownKey: 'THERMO_FIELD_UNKNOWN_KEY',
  missingKey: 'THERMO_FIELD_MISSING_KEY',
  badType: 'THERMO_FIELD_BAD_TYPE',
  badValue: 'THERMO_FIELD_BAD_VALUE',
};

const EXAMPLE = 'name: spot\n    size: 160 GiB\n    areas:\n      - { at: 10 GiB, size: 1 GiB, rate: 300/s }';

const checkStructure = structureCheck<FieldFile>(FieldFileSchema, { codes: CODES });

/** Largest address space: 1 PiB. */
const MAX_SIZE = 2 ** 50;
const DEFAULT_LETTER = 'Y';

/**
 * @param text the file's bytes as UTF-8
 * @param file its name, for messages
 * @throws ThermoErrors with every problem found
 */
export function loadField(text: string, file: string): FieldSource {
  return collectProblems((problems) => {
    const read = readYaml(text, file, CODES, EXAMPLE, problems);
    const entry = read && checkStructure(read.value, read.source, problems);
    return entry && compileField(entry, new ValueReader(read.source, CODES, problems), problems);
  });
}

function compileField(
  file: FieldFile,
  reader: ValueReader,
  problems: readonly ThermoError[],
): FieldSource | undefined {
  const sizeBytes = readSize(file, reader);
  const backgroundPerS = reader.read(['background'], file.background ?? 'off', parseEventRate) ?? 0;
  const hotPerS = reader.read(['hot'], file.hot, parseEventRate);
  if (hotPerS === 0) reader.fail(['hot'], 'hot: every page is at 0/s or more', 'expected a rate above 0');
  const changes = readPhases(file, reader, sizeBytes);
  const makers = file.areas.map((area, i) => {
    const maker = readArea(area, ['areas', i], reader, sizeBytes);
    return withChanges(maker, area.name === undefined ? [] : (changes.get(area.name) ?? []), sizeBytes);
  });
  if (problems.length > 0) return undefined;
  return {
    name: file.name,
    create: (seed) => {
      const draw = fieldRandom(file.letter ?? DEFAULT_LETTER, seed);
      const areas = makers.flatMap((make) => make(draw));
      return timedField({ name: file.name, sizeBytes, backgroundPerS, hotPerS, areas });
    },
  };
}

function readSize(file: FieldFile, reader: ValueReader): number {
  const sizeBytes = reader.read(['size'], file.size, parseBytes) ?? MAX_SIZE;
  if (sizeBytes === 0 || sizeBytes % PAGE_SIZE !== 0 || sizeBytes > MAX_SIZE) {
    reader.fail(
      ['size'],
      `size: a field cannot have ${formatBytes(sizeBytes)}`,
      'expected whole pages of 4 KiB, at most 1 PiB',
    );
  }
  return sizeBytes;
}

/** A change of size keeps the start, and ends at the end of the field. */
interface SizedChange {
  readonly atUs: number;
  readonly perS?: number;
  readonly sizeBytes?: number;
}

/** Changes by the name of their area, in order of time. */
function readPhases(file: FieldFile, reader: ValueReader, fieldBytes: number): Map<string, SizedChange[]> {
  const changes = new Map<string, SizedChange[]>();
  const names = new Set(file.areas.map((area) => area.name));
  file.phases?.forEach((phase, i) => {
    const change = readPhase(phase, ['phases', i], reader, fieldBytes);
    if (!names.has(phase.area)) {
      reader.failUnknown(
        ['phases', i, 'area'],
        `there is no area "${phase.area}"`,
        phase.area,
        [...names].filter((name) => name !== undefined),
        'named areas',
      );
    }
    const moves = file.areas.some((area) => area.name === phase.area && area.moves !== undefined);
    if (moves && phase.size !== undefined) {
      reader.fail(['phases', i, 'size'], 'size: an area that moves keeps its size', 'change its rate only');
    }
    changes.set(phase.area, [...(changes.get(phase.area) ?? []), change]);
  });
  for (const list of changes.values()) list.sort((a, b) => a.atUs - b.atUs);
  return changes;
}

function readPhase(
  phase: PhaseEntry,
  path: readonly (string | number)[],
  reader: ValueReader,
  fieldBytes: number,
): SizedChange {
  const atUs = reader.read([...path, 'at'], phase.at, parseTimeUs) ?? 0;
  const perS = reader.read([...path, 'rate'], phase.rate, parseEventRate);
  const sizeBytes = reader.read([...path, 'size'], phase.size, parseBytes);
  if (perS === undefined && sizeBytes === undefined) {
    reader.fail(path, 'this phase changes nothing', 'expected rate, size or both');
  }
  if (sizeBytes !== undefined && (sizeBytes === 0 || sizeBytes % PAGE_SIZE !== 0 || sizeBytes > fieldBytes)) {
    reader.fail(
      [...path, 'size'],
      `size: ${formatBytes(sizeBytes)}`,
      'expected whole pages of 4 KiB, inside the field',
    );
  }
  return {
    atUs,
    ...(perS === undefined ? {} : { perS }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

function withChanges(make: AreaMaker, changes: readonly SizedChange[], fieldBytes: number): AreaMaker {
  if (changes.length === 0) return make;
  return (draw) =>
    make(draw).map((area) => ({
      ...area,
      changes: changes.map(
        ({ atUs, perS, sizeBytes }): AreaChange => ({
          atUs,
          ...(perS === undefined ? {} : { perS }),
          ...(sizeBytes === undefined ? {} : { end: Math.min(fieldBytes, area.start + sizeBytes) }),
        }),
      ),
    }));
}
