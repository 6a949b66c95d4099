import type { CommandModule } from 'yargs';
import { deleteCommand } from './runs/delete.ts';
import { exportCommand } from './runs/export.ts';
import { listCommand } from './runs/list.ts';

export const runsCommand: CommandModule = {
  command: 'runs',
  describe: 'finished and unfinished runs: list, export, delete',
  builder: (y) =>
    y
      .command(listCommand)
      .command(exportCommand)
      .command(deleteCommand)
      .demandCommand(1, 1, 'Name what to do: list, export or delete.', 'One command at a time.'),
  handler: () => {},
};
