/** What needs a disk: the same package with composites straight to a folder of COGs. */

export { CHIP_GRIDS, type ChipCell, type ChipGrid, chipsOfTile, near, snap } from './geo/chip-grid.js';
export * from './index.js';
export { type ProductOptions, type ProductSummary, productsToFolder } from './jobs/change/change-folder.js';
export type { ChangeRunOptions } from './jobs/change/change-options.js';
export type { ChangePlan } from './jobs/change/change-plan.js';
export type { ChangeRequest, ChangeRequests, RequestOptions, RequestOutcome } from './jobs/change/change-requests.js';
export { type ChangeRunSummary, type ChangeTarget, detectScenes, planScenes } from './jobs/change/change-run.js';
export { memoryResults } from './jobs/change/memory-results.js';
export { type ExportOptions, type ExportSummary, exportResults } from './jobs/change/result-export.js';
export { type OpenResultsOptions, openResults } from './jobs/change/result-folder.js';
export { chipJson, type ResultRow, resultRow } from './jobs/change/result-json.js';
export { type FailureCount, type StatusOptions, storeStatus, type TileStatus } from './jobs/change/result-status.js';
export {
  type Bbox,
  type ChipPixels,
  type ChipRange,
  type ChipResult,
  type ChipSummary,
  countChips,
  type PixelResult,
  pixelsWithin,
  type ResultStore,
  type TileCounts,
} from './jobs/change/result-store.js';
export { type ChipFileOptions, type ChipFilesSummary, chipsToFiles } from './jobs/chip/chip-files.js';
export type { ChipFormat } from './jobs/chip/chip-writers.js';
export { compositeToFolder, type FolderOptions, type FolderSummary, planComposite } from './jobs/folder.js';
export { type LocateOptions, locateShapes, locateTiles, type TileName } from './jobs/locate-grids.js';
export { type MosaicFile, type MosaicOptions, type MosaicSummary, mosaic } from './jobs/mosaic.js';
export {
  type Sentinel2Options,
  type Sentinel2Request,
  type Sentinel2Summary,
  sentinel2ToFolder,
} from './jobs/sentinel2.js';
export { type SaveTasksSummary, saveTasks } from './jobs/task/save-tasks.js';
export type { Task, TaskKey, TaskScene } from './jobs/task/task.js';
export type { SaveTasksOptions } from './jobs/task/task-rules.js';
export { selectTasks } from './jobs/task/task-select.js';
export { openTaskSet, readTask, type TaskSet, type TaskSetHead } from './jobs/task/task-set.js';
export type { TaskRow } from './jobs/task/task-table.js';
export { type CheckedTask, checkRun } from './jobs/tile/run-check.js';
export { type ReportRow, type RunReport, readReports, reportOf } from './jobs/tile/run-report.js';
export type { RunOptions } from './jobs/tile/run-settings.js';
export { type RunSummary, type RunTasksOptions, runTasks, type TaskReport } from './jobs/tile/run-tasks.js';
export { type VerifyOptions, type VerifyReport, type VerifySummary, verify } from './jobs/verify/verify.js';
export type { ComparedBand } from './jobs/verify/verify-against.js';
export type { Problem } from './jobs/verify/verify-item.js';
