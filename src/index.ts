/** The public face of the library: run schemes on modelled machines, or monitor with your own sources. */
export { Engine, type EngineOptions } from './engine/engine.ts';
export { RegionSnapshot } from './engine/snapshot.ts';
export type { EngineState, SchemeState, StateChange } from './engine/state.ts';
export { type RunOptions, type RunReport, type RunResult, runSchemes } from './lab/run.ts';
export type { Machine, ModelledMachine, MoveRequest, PushSetting, Truth } from './machines/machine.ts';
export { openReplay, type ReplayOptions } from './machines/replayed/open-replay.ts';
export { createPreset, PRESET_NAMES } from './machines/simulated/presets.ts';
export { SimulatedMachine, type SimulatedMachineConfig } from './machines/simulated/simulated-machine.ts';
export type { Area, Phase, Workload, WorkThread } from './machines/simulated/workload.ts';
export { type AccessBatch, createAccessBatch } from './memory/access-batch.ts';
export { ERROR_CODES, type ErrorCode, ThermoError, ThermoErrors } from './memory/error.ts';
export { RandomStream } from './memory/random.ts';
export type { AddressRange } from './memory/range.ts';
export type { MemoryNode } from './memory/tier.ts';
export { createMonitor, MONITOR_NAMES, type MonitorName } from './monitor/create-monitor.ts';
export { DamonMonitor, type DamonOptions } from './monitor/damon/damon-monitor.ts';
export { EvidenceMonitor } from './monitor/evidence-monitor.ts';
export {
  type CheckPlan,
  DEFAULT_ATTRS,
  type Monitor,
  type MonitorAttrs,
  type Regions,
} from './monitor/monitor.ts';
export { explainSchemes } from './schemes/explain.ts';
export { type LoadedSchemes, loadSchemes } from './schemes/load.ts';
export { resolveSchemes } from './schemes/resolve.ts';
export { schemeJsonSchema } from './schemes/schema.ts';
export type { Scheme } from './schemes/scheme.ts';
