/** What needs a disk: the same package with composites straight to a folder of COGs. */
export * from './index.js';
export { type ChipFileOptions, type ChipFilesSummary, chipsToFiles } from './jobs/chip-files.js';
export type { ChipFormat } from './jobs/chip-writers.js';
export { compositeToFolder, type FolderOptions, type FolderSummary, planComposite } from './jobs/folder.js';
export {
  type Sentinel2Options,
  type Sentinel2Request,
  type Sentinel2Summary,
  sentinel2ToFolder,
} from './jobs/sentinel2.js';
