/** In the order of the model's classes. */
export const SPECIES = ['Adelie', 'Chinstrap', 'Gentoo'] as const;

/** Lengths in mm, mass in g. */
export const MEASURES = ['beak_length', 'beak_depth', 'flipper_length', 'body_mass'] as const;

export type Species = (typeof SPECIES)[number];
export type Measure = (typeof MEASURES)[number];

/** Who a bird is. `id` is its row in the data file, so that it means the same bird everywhere. */
export interface Identity {
  id: number;
  species: Species;
  island: string;
}

export type Bird = Identity & Record<Measure, number>;

/** Class of the model: an index into SPECIES. */
export function classOf({ species }: Identity): number {
  return SPECIES.indexOf(species);
}
