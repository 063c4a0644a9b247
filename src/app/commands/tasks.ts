import { Command } from 'commander';
import { taskId } from '../../jobs/task/task.js';
import { selectTasks } from '../../jobs/task/task-select.js';
import { openTaskSet } from '../../jobs/task/task-set.js';
import { type TaskRow, taskLine } from '../../jobs/task/task-table.js';
import type { Flags } from '../amount-option.js';
import { selectionOf } from '../selection-option.js';
import { stopSignals } from '../stop.js';

/** `stackwise tasks SET [selection…]` */
export function tasksCommand(): Command {
  return (
    new Command('tasks')
      .description('List tasks of a set: all, or those named by id, index or slice.')
      .argument('<set>', 'a folder of save-tasks, local or s3://, or a cache of odc-stats (.db)')
      .argument(
        '[selection...]',
        'period/x/y, x/y/period, an index from 0, a slice like :10 or -10:, or @file of these',
      )
      .option('--ids', 'print ids only, a line each: a file for later selections')
      .option('--json', 'print machine-readable JSON lines')
      // Slices may begin with a dash.
      .allowUnknownOption()
      .action(run)
  );
}

async function run(url: string, selection: string[], flags: Flags): Promise<void> {
  const stop = stopSignals();
  try {
    const chosen = selectionOf(selection);
    const { head, rows } = await openTaskSet(url, { signal: stop.signal });
    const labels = new Map(head.periods.map(({ key, label }) => [key, label]));
    const shown = (row: TaskRow) => {
      if (flags.json === true) return JSON.stringify({ id: taskId(row), ...row });
      return flags.ids === true ? taskId(row) : taskLine(row, head.digits, labels.get(row.period));
    };
    const lines = selectTasks(await rows(), chosen).map((row) => `${shown(row)}\n`);
    process.stdout.write(lines.join(''));
  } finally {
    stop.dispose();
  }
}
