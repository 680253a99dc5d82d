/** The public face of the library: run schemes on modelled machines, or monitor with your own sources. */
export { Engine, type EngineOptions } from './engine/engine.ts';
export { type RatedRanges, RegionSnapshot } from './engine/snapshot.ts';
export type { EngineState, SchemeState, StateChange } from './engine/state.ts';
export {
  type AccuracyOptions,
  type AccuracyReport,
  measureAccuracy,
} from './lab/accuracy/measure.ts';
export { type AccuracyRun, type AccuracyRunOptions, runAccuracy } from './lab/accuracy/run-accuracy.ts';
export { type RunOptions, type RunReport, type RunResult, runSchemes } from './lab/run.ts';
export { AccessField, type FieldConfig, type FieldSource } from './machines/field/access-field.ts';
export { builtinField, FIELD_NAMES } from './machines/field/builtin.ts';
export { type FieldFaults, FieldMachine, type FieldMachineConfig } from './machines/field/field-machine.ts';
export { loadField } from './machines/field/load-field.ts';
export type { FieldArea } from './machines/field/rate-map.ts';
export type {
  EvidenceCosts,
  Machine,
  ModelledMachine,
  Truth,
} from './machines/machine.ts';
export { openRecording, type RecordingOptions } from './machines/replayed/open-recording.ts';
export { openReplay, type ReplayOptions } from './machines/replayed/open-replay.ts';
export { createPreset, PRESET_NAMES } from './machines/simulated/presets/index.ts';
export { SimulatedMachine, type SimulatedMachineConfig } from './machines/simulated/simulated-machine.ts';
export type { Area, Phase, Workload, WorkThread } from './machines/simulated/workload.ts';
export { type AccessBatch, createAccessBatch } from './memory/access-batch.ts';
export type {
  Action,
  ActionOutcome,
  ActionRequest,
  GaugeKind,
  NodeGauge,
  PageProperty,
  PageQuery,
  SystemGauge,
} from './memory/action.ts';
export { ERROR_CODES, type ErrorCode, ThermoError, ThermoErrors } from './memory/error.ts';
export type { PushSetting } from './memory/push-setting.ts';
export { RandomStream } from './memory/random.ts';
export type { AddressRange } from './memory/range.ts';
export type { RecordedSnapshot, RecordHead, RegionRecord } from './memory/region-record.ts';
export type { MemoryNode } from './memory/tier.ts';
export { createMonitor, MONITOR_NAMES, type MonitorName } from './monitor/create-monitor.ts';
export { DamonMonitor, type DamonOptions, type PushCredit } from './monitor/damon/damon-monitor.ts';
export type { Probe } from './monitor/damon/probe.ts';
export { EvidenceMonitor } from './monitor/evidence-monitor.ts';
export { GridMonitor, type GridOptions } from './monitor/grid-monitor.ts';
export { DEFAULT_INTERVALS_GOAL, tuneIntervals } from './monitor/interval-tuner.ts';
export {
  type CheckPlan,
  DEFAULT_ATTRS,
  type IntervalsGoal,
  type Monitor,
  type MonitorAttrs,
  type Regions,
  type SourceWeights,
} from './monitor/monitor.ts';
export { PerfScriptFeed, type PerfScriptOptions } from './records/perf-script.ts';
export { RecordWriter } from './records/record-writer.ts';
export { loadRegions, type RegionInputOptions, readRegions } from './records/region-input.ts';
export { explainSchemes } from './schemes/explain.ts';
export { type LoadedSchemes, loadSchemes } from './schemes/load.ts';
export type { MonitorSettings } from './schemes/monitor-block.ts';
export { resolveSchemes } from './schemes/resolve.ts';
export { schemeJsonSchema } from './schemes/schema.ts';
export type { Scheme } from './schemes/scheme.ts';
