import { defineStep, withMetrics } from 'nx-experiments';
import type { Bird, Species } from '../../libs/penguins/bird.ts';
import type { RawPenguin } from './datasources.ts';

/**
 * Drops the birds without measures, gives the others an id and rounds their lengths.
 * `resolution` is in mm; callipers read 0.1.
 */
export const clean = defineStep({ resolution: 0.1 }, async (raw: RawPenguin[], { resolution }, ctx) => {
  const birds = raw.flatMap((row, id): Bird[] => {
    const { 'Beak Length (mm)': length, 'Beak Depth (mm)': depth } = row;
    const { 'Flipper Length (mm)': flipper, 'Body Mass (g)': mass } = row;
    if (length === null || depth === null || flipper === null || mass === null) return [];
    return [
      {
        id,
        species: row.Species as Species,
        island: row.Island,
        beak_length: round(length, resolution),
        beak_depth: round(depth, resolution),
        flipper_length: round(flipper, resolution),
        body_mass: mass,
      },
    ];
  });
  await ctx.artifact('birds').write(birds);
  return withMetrics(birds, { birds: birds.length, dropped: raw.length - birds.length });
});

/** The nearest multiple, without the digits that binary fractions add. */
function round(value: number, resolution: number): number {
  return Number((Math.round(value / resolution) * resolution).toFixed(6));
}
