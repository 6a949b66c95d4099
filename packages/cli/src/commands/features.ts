import type { CommandModule } from 'yargs';
import { compactCommand } from './features/compact.ts';
import { exportCommand } from './features/export.ts';
import { extractCommand } from './features/extract.ts';
import { gcCommand } from './features/gc.ts';
import { importCommand } from './features/import.ts';
import { inspectCommand } from './features/inspect.ts';
import { pullCommand } from './features/pull.ts';
import { pushCommand } from './features/push.ts';
import { repairCommand } from './features/repair.ts';
import { statusCommand } from './features/status.ts';
import { verifyCommand } from './features/verify.ts';

export const featuresCommand: CommandModule = {
  command: 'features',
  describe:
    'features of a dataset: extract, import, export, status, verify, repair, inspect, compact, gc, push, pull',
  builder: (y) =>
    y
      .command(extractCommand)
      .command(importCommand)
      .command(exportCommand)
      .command(statusCommand)
      .command(verifyCommand)
      .command(repairCommand)
      .command(inspectCommand)
      .command(compactCommand)
      .command(gcCommand)
      .command(pushCommand)
      .command(pullCommand)
      .demandCommand(
        1,
        1,
        'Name what to do: extract, import, export, status, verify, repair, inspect, compact, gc, push or pull.',
        'One command at a time.',
      ),
  handler: () => {},
};
