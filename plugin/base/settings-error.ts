/** A setting or a command that its author can mend: told by its message alone, without a stack. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
