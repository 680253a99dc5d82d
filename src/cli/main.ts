#!/usr/bin/env node
/** The command line: parses arguments, calls one function per command, turns errors into exit statuses. */
import { Command, CommanderError, Option } from 'commander';
import { ThermoError, ThermoErrors } from '../memory/error.ts';
import { renderProblem } from '../view/problem.ts';
import { deployOptions, kernelOption, targetOptions } from './export-options.ts';
import { liveOptions } from './live-options.ts';
import {
  accuracyOptions,
  compareOptions,
  forOption,
  machineOption,
  monitorOption,
  monitorOptions,
  overheadOption,
  recordEveryOption,
  sizeOption,
  sweepOptions,
  traceOptions,
  workloadOption,
} from './options.ts';
import { convertOptions, REPORT_KINDS, reportOptions, selectionOptions } from './report-options.ts';
import { openTerminal } from './terminal.ts';
import { VERSION } from './version.ts';

/** Exit statuses: 0 done, 1 failed or invalid input, 2 wrong usage, 130 interrupted. */
const FAILED = 1;
const WRONG_USAGE = 2;

const terminal = openTerminal();

function buildProgram(finish: (status: number) => void): Command {
  const program = new Command('thermocline')
    .description(
      'Finds hot memory with adaptive evidence regions and moves it between tiers by YAML schemes.',
    )
    .version(VERSION)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeErr: (text) => terminal.stderr.write(text),
      writeOut: (text) => terminal.stdout.write(text),
    });

  const jsonOption = (): Option => new Option('--json', 'print one JSON document and nothing else');

  const run = program
    .command('run')
    .description('run a scheme file on a simulated machine or a recorded trace')
    .argument('<schemes>', 'scheme file, or - for standard input')
    .addOption(machineOption())
    .addOption(workloadOption())
    .addOption(sizeOption());
  for (const option of [...traceOptions(), ...liveOptions()]) run.addOption(option);
  run.addOption(monitorOption());
  for (const option of monitorOptions()) run.addOption(option);
  run
    .addOption(overheadOption())
    .addOption(forOption())
    .option(
      '--reload',
      'take over changes of the scheme file while running, if they are in order; SIGUSR2 takes the last one back',
    )
    .option('--record <dir>', 'write what the monitor sees into a record (docs/records.md)')
    .option('--record-samples', 'keep the samples in the record, too')
    .addOption(recordEveryOption())
    .option('--out <dir>', 'directory for results (default: thermocline-out, none with --json)')
    .option('--no-out', 'leave no files')
    .option(
      '--html <file>',
      'the report as one page: heat map with regions and truth, tiers, migrations, quotas',
    )
    .option('--quiet', 'no progress')
    .addOption(jsonOption())
    .action(async (schemes, { out, ...options }) => {
      if (options.machine === 'linux') {
        const { runLinuxCommand } = await import('./commands/run-linux.ts');
        finish(await runLinuxCommand(schemes, options, terminal));
        return;
      }
      const { runCommand } = await import('./commands/run.ts');
      // commander sets `out` to true where only the negated option has a default.
      finish(await runCommand(schemes, { ...options, ...(out === true ? {} : { out }) }, terminal));
    });

  program
    .command('check')
    .description('explain the mistakes in a scheme file, with line and column, and what is unwise')
    .argument('<schemes>', 'scheme file, or - for standard input')
    .addOption(machineOption())
    .option('--strict', 'exit status 1 on warnings, too')
    .addOption(jsonOption())
    .action(async (schemes, options) => {
      const { checkCommand } = await import('./commands/check.ts');
      finish(await checkCommand(schemes, options, terminal));
    });

  program
    .command('explain')
    .description('print a scheme file in the long form, with what it means')
    .argument('<schemes>', 'scheme file, or - for standard input')
    .action(async (schemes) => {
      const { explainCommand } = await import('./commands/check.ts');
      finish(await explainCommand(schemes, terminal));
    });

  const exporting = program
    .command('export')
    .description('hand a scheme file to the kernel or to damo, and say what that kernel cannot do')
    .argument('<schemes>', 'scheme file, or - for standard input')
    .addOption(
      new Option(
        '--to <format>',
        "damo: kdamonds JSON; damo-args: damo's options; damon-sysfs: a shell script",
      )
        .choices(['damo', 'damon-sysfs', 'damo-args'])
        .makeOptionMandatory(),
    )
    .addOption(kernelOption())
    .addOption(machineOption());
  for (const option of targetOptions()) exporting.addOption(option);
  exporting.action(async (schemes, options) => {
    const { exportCommand } = await import('./commands/export.ts');
    finish(await exportCommand(schemes, options, terminal));
  });

  const deploy = program
    .command('deploy')
    .description(
      "hand a scheme file to the DAMON of this machine's kernel; without --apply print what would be written",
    )
    .argument('<schemes>', 'scheme file, or - for standard input')
    .addOption(new Option('--to <what>', 'damon: its sysfs files').choices(['damon']).default('damon'));
  for (const option of deployOptions()) deploy.addOption(option);
  deploy.addOption(jsonOption()).action(async (schemes, options) => {
    const { deployCommand } = await import('./commands/deploy.ts');
    finish(await deployCommand(schemes, options, terminal));
  });

  program
    .command('deployed')
    .description('tell what is deployed in the kernel, and what it has done')
    .addOption(jsonOption())
    .action(async (options) => {
      const { deployedCommand } = await import('./commands/deploy.ts');
      finish(deployedCommand(options, terminal));
    });

  program
    .command('undeploy')
    .description('take back what was deployed')
    .option('--apply', 'do it; without it tell what would be removed')
    .action(async (options) => {
      const { undeployCommand } = await import('./commands/deploy.ts');
      finish(undeployCommand(options, terminal));
    });

  program
    .command('import')
    .description("print damo's kdamonds file, or its list of schemes, as a scheme file")
    .argument('<kdamonds>', 'JSON or YAML file of damo, or - for standard input')
    .action(async (path) => {
      const { importCommand } = await import('./commands/export.ts');
      finish(await importCommand(path, terminal));
    });

  const accuracy = program
    .command('accuracy')
    .description('score monitors on access-rate fields whose truth is known: precision, recall, F1 in bytes')
    .argument('[fields...]', 'names of built-in fields (default: all), or YAML files');
  for (const option of [...accuracyOptions(), ...monitorOptions('5876/s')]) accuracy.addOption(option);
  accuracy
    .option('--quiet', 'no progress')
    .addOption(jsonOption())
    .action(async (fields, options) => {
      const { accuracyCommand } = await import('./commands/accuracy.ts');
      finish(await accuracyCommand(fields, options, terminal));
    });

  const compare = program
    .command('compare')
    .description(
      'run per-page systems, regions, baselines and the clairvoyant on the same accesses, in one table',
    )
    .argument('[schemes]', 'scheme file of the monitors (default: promote what is hot, demote what is cold)')
    .addOption(machineOption())
    .addOption(workloadOption())
    .addOption(sizeOption());
  for (const option of [...traceOptions(), ...compareOptions(), ...sweepOptions()]) compare.addOption(option);
  compare
    .option('--quiet', 'no progress')
    .addOption(jsonOption())
    .action(async (schemes, options) => {
      const { compareCommand } = await import('./commands/compare.ts');
      finish(await compareCommand(schemes, options, terminal));
    });

  const convert = program
    .command('convert')
    .description("bring a recording into another format: our own record, damo's, or text")
    .argument('<in>', 'a record or trace in any format that is known, or - for standard input')
    .argument('<out>', 'a directory for a record, FILE.json or FILE.data for damo, FILE.txt or - for text');
  for (const option of convertOptions()) convert.addOption(option);
  convert.option('--quiet', 'no progress').action(async (from, to, options) => {
    const { convertCommand } = await import('./commands/convert.ts');
    finish(await convertCommand(from, to, options, terminal));
  });

  const report = program
    .command('report')
    .description('show what a record of regions says: tables, heat maps, distributions, raw numbers')
    .argument('<kind>', REPORT_KINDS.join(', '))
    .argument('<file>', 'a record of thermocline, damo, perf script or memtierd, or - for standard input');
  for (const option of [...selectionOptions(), ...reportOptions()]) report.addOption(option);
  report
    .option('--quiet', 'no progress')
    .addOption(jsonOption())
    .action(async (kind, file, options) => {
      const { reportCommand } = await import('./commands/report.ts');
      finish(await reportCommand(kind, file, options, terminal));
    });

  program
    .command('doctor')
    .description('tell what this machine offers to run schemes on it, and what is missing; changes nothing')
    .option('--root <dir>', 'look at a recorded tree of another machine (/proc and /sys below it)')
    .addOption(jsonOption())
    .action(async (options) => {
      const { doctorCommand } = await import('./commands/doctor.ts');
      finish(await doctorCommand(options, terminal));
    });

  program
    .command('bench')
    .description('measure speed and memory of the program on this machine')
    .argument('[file]', 'used by the cases themselves')
    .option('--runs <n>', 'processes per case', '3')
    .addOption(new Option('--case <name>', 'run one case in this process').hideHelp())
    .addOption(jsonOption())
    .action(async (file, options) => {
      const { benchCommand } = await import('./commands/bench.ts');
      finish(await benchCommand(file, options, terminal));
    });
  return program;
}

async function main(): Promise<number> {
  let status = 0;
  const program = buildProgram((result) => {
    status = result;
  });
  try {
    await program.parseAsync(process.argv);
    return status;
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
  if (error instanceof ThermoErrors || error instanceof ThermoError) {
    const errors = error instanceof ThermoErrors ? error.errors : [error];
    for (const each of errors) terminal.stderr.write(renderProblem(each));
    return errors.some((each) => each.code === 'THERMO_USAGE') ? WRONG_USAGE : FAILED;
  }
  const bug = error instanceof Error ? (error.stack ?? error.message) : String(error);
  terminal.stderr.write(
    `thermocline: a bug in thermocline; please report it with the command you ran\n${bug}\n`,
  );
  return FAILED;
}

process.exitCode = await main();
// Standard input left open (a pipe that nobody ends) must not keep the process.
process.stdin.unref?.();
