import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { mersenne } from 'pure-rand/generator/mersenne';

/** Keeps the stream behind Math.random apart from that of ctx.random. */
const MATH_RANDOM_STREAM = 0x9e3779b9;

/**
 * Numbers in [0, 1) with 53 bits. The generator is a Mersenne twister, whose seeding spreads neighbouring
 * seeds well; it is made on first use, since many replicates never draw.
 */
export function seededRandom(seed: number): () => number {
  let generator: ReturnType<typeof mersenne> | undefined;
  return () => {
    generator ??= mersenne(seed | 0);
    return uniformFloat64(generator);
  };
}

/** What `Math.random` draws from in a replicate of this seed. */
export function seededMathRandom(seed: number): () => number {
  return seededRandom(seed ^ MATH_RANDOM_STREAM);
}
