import { SettingsError } from '../base/settings-error.ts';

/**
 * Where packages lie in archives, native code is not found, and neither are the versions of what a result depends on.
 *
 * @throws SettingsError under Yarn's Plug'n'Play
 */
export function refusePlugNPlay(): void {
  if (process.versions.pnp === undefined) return;
  throw new SettingsError(
    'nx-experiments needs packages in node_modules, and Yarn\'s Plug\'n\'Play has none: set "nodeLinker: node-modules" in .yarnrc.yml, and run "yarn install".',
  );
}
