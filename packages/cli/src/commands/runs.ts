import type { CommandModule } from 'yargs';
import { deleteCommand } from './runs/delete.ts';
import { exportCommand } from './runs/export.ts';
import { listCommand } from './runs/list.ts';
import { slicesCommand } from './runs/slices.ts';

export const runsCommand: CommandModule = {
  command: 'runs',
  describe: 'finished and unfinished runs: list, slices, export, delete',
  builder: (y) =>
    y
      .command(listCommand)
      .command(slicesCommand)
      .command(exportCommand)
      .command(deleteCommand)
      .demandCommand(1, 1, 'Name what to do: list, slices, export or delete.', 'One command at a time.'),
  handler: () => {},
};
