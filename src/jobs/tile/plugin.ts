// The plugins by their names.
import { InputError, UnsupportedError } from '../../errors.js';
import { suggestion } from '../../stats/suggest.js';
import { geomedianPlugin } from './geomedian-plugin.js';
import type { Plugin } from './recipe.js';

/** Adding a plugin is a line here and its file. */
const PLUGINS: readonly Plugin[] = [geomedianPlugin('gm-generic'), geomedianPlugin('gm-s2'), geomedianPlugin('gm-ls')];

/** Of odc-stats, and not here yet: tasks of their configurations can be listed. */
const PLANNED: readonly string[] = [
  'pq',
  'pq-ls-bitmask',
  'gm-ls-bitmask',
  'fc-percentiles',
  'tcw-percentiles',
  'tc-percentiles',
  'wofs-summary',
  'wofs-summary-fh',
  'mangroves',
  'veg_count',
];

/** A plugin that is not here yet: its tasks can be listed, not run. */
function planned(name: string): Plugin {
  const plain = name.replaceAll('-', '_');
  return {
    name,
    product: { name: plain, shortName: plain, version: '0.0.0', family: 'statistics' },
    recipe() {
      throw new UnsupportedError(
        `the plugin ${name} cannot run yet; those that can are ${PLUGINS.map((one) => one.name).join(', ')}`,
      );
    },
  };
}

/** @throws InputError that names the nearest where there is none of this name */
export function pluginOf(name: string): Plugin {
  const found = PLUGINS.find((plugin) => plugin.name === name);
  if (found) return found;
  if (PLANNED.includes(name)) return planned(name);
  const known = PLUGINS.map((plugin) => plugin.name);
  throw new InputError(
    `there is no plugin "${name}"${suggestion(name, [...known, ...PLANNED])}: those here are ${known.join(', ')}`,
    { option: 'plugin' },
  );
}
