/** Options of the plugin in nx.json. */
export interface PluginOptions {
  /** Name of the target that compares all conditions; those of the conditions are `<targetName>--<condition>`. Default: `experiment`. */
  readonly targetName?: string;
  /** Globs of config files, relative to the workspace root. Default: those under a folder named `experiments`. */
  readonly include?: readonly string[];
  /** Folder of the run store, absolute or relative to the workspace root; false for none. Default: `.nx/experiments`. */
  readonly store?: string | false;
  /** Size beyond which the store lets go of what was used longest ago, such as `500M`. Default: `10G`. */
  readonly storeSize?: string;
  /**
   * How long a shard should take, such as `10m`: experiments that say under `execution.estimate` how long a replicate takes
   * are divided into shards by it. Default: they are not.
   */
  readonly shardTime?: string;
  /**
   * The Python of experiments that name none and have no `.venv` of their own: a command, or a path relative to the workspace
   * root. Default: a `.venv` of the experiment's folder or of the root, else `python3`.
   */
  readonly python?: string;
}
