import { contentUri, type Entity, formatOf } from './entities.ts';

/** A file that lies outside of the crate. */
export interface OutsideFile {
  readonly name: string;
  readonly bytes: number | undefined;
  readonly sha256: string;
  /** What it is, in a sentence. */
  readonly origin: string;
}

/**
 * Files outside of the crate. They are known by their content: equal ones are one entity, with all that they are called
 * and all that they are.
 */
export class OutsideFiles {
  readonly #files = new Map<string, { file: OutsideFile; names: Set<string>; origins: Set<string> }>();

  /** @returns its URI */
  add(file: OutsideFile): string {
    const id = contentUri(file.sha256);
    const known = this.#files.get(id) ?? { file, names: new Set(), origins: new Set() };
    known.names.add(file.name);
    known.origins.add(file.origin);
    this.#files.set(id, known);
    return id;
  }

  entities(): Entity[] {
    return [...this.#files].map(([id, { file, names, origins }]) => {
      const [name, ...others] = names;
      return {
        '@id': id,
        // Nobody can fetch it by its URI, as one could a File of another place.
        '@type': 'CreativeWork',
        name,
        alternateName: others.length === 0 ? undefined : others,
        description: [...origins].join('; '),
        encodingFormat: formatOf(file.name),
        size: file.bytes === undefined ? undefined : String(file.bytes),
        sha256: file.sha256,
      };
    });
  }
}
