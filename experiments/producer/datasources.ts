import { defineDatasource } from 'nx-experiments';

/** Draws `size` measurements around 10: the same ones for the same seed, in every condition. */
export const draw_measurements = defineDatasource({ size: 50 }, ({ size }, ctx): number[] =>
  Array.from({ length: size }, () => 10 + (ctx.random() - 0.5)),
);
