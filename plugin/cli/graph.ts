import { suggestion } from '../base/names.ts';
import { SettingsError } from '../base/settings-error.ts';
import {
  formatOf,
  PICTURE_FORMATS,
  type PictureFormat,
  renderPicture,
  writePicture,
} from '../picture/draw.ts';
import { pictureOf } from '../picture/model.ts';
import { type Command, textOf, toJson } from './command.ts';
import { readGraph } from './workspace.ts';

/** `nx-experiments graph`: the picture of experiments and what they read. */
export const run: Command['run'] = async ({ cwd, names, options, json }, print) => {
  const { graph } = readGraph(cwd);
  const treatment = textOf(options.treatment);
  const output = textOf(options.output);
  const wanted = parseFormat(textOf(options.format) ?? (json ? 'json' : undefined));
  const picture = pictureOf(graph, {
    ...(names.length > 0 ? { experiments: names } : {}),
    ...(treatment === undefined ? {} : { treatment }),
  });
  if (output === undefined) {
    const format = wanted ?? 'mermaid';
    if (format === 'png' && process.stdout.isTTY) {
      throw new SettingsError('A PNG is no text: write it with --output graph.png.');
    }
    print(await renderPicture(picture, format));
    return 0;
  }
  await writePicture(picture, output, wanted ?? formatOf(output));
  print(json ? toJson({ output }) : `${output}\n`);
  return 0;
};

function parseFormat(text: string | undefined): PictureFormat | undefined {
  const format = PICTURE_FORMATS.find((known) => known === text);
  if (text === undefined || format !== undefined) return format;
  throw new SettingsError(`Unknown format "${text}". ${suggestion(text, PICTURE_FORMATS, 'formats')}`);
}
