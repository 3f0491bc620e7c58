/** A node of the graph. Properties that are undefined are left out. */
export interface Entity {
  readonly '@id': string;
  readonly '@type': string;
  readonly [property: string]: unknown;
}

export interface Reference {
  readonly '@id': string;
}

export function referTo(id: string): Reference {
  return { '@id': id };
}

/** A list of one stands alone, as RO-Crate writes it; an empty one is left out. */
export function referToAll(ids: readonly string[]): Reference | readonly Reference[] | undefined {
  return ids.length > 1 ? ids.map(referTo) : ids.map(referTo)[0];
}

/** Relative URI of a file or, with a slash at its end, of a folder. */
export function uriOf(path: string): string {
  return path.split('/').map(encodeName).join('/');
}

/** URI of something that has no place of its own: of names that may hold anything. */
export function localUri(...names: readonly string[]): string {
  return `#${names.map(encodeName).join('/')}`;
}

/** URI of content that lies outside of the crate, by its digest (RFC 6920). */
export function contentUri(sha256: string): string {
  return `ni:///sha-256;${Buffer.from(sha256, 'hex').toString('base64url')}`;
}

/** Half a surrogate pair has no encoding; in the name of a file it was replaced likewise. */
function encodeName(name: string): string {
  // Nearly all names, and much faster.
  if (/^[\w.-]*$/.test(name)) return name;
  return encodeURIComponent(name.replace(/\p{Surrogate}/gu, '\uFFFD'));
}

const FORMATS: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  jsonl: 'application/jsonl',
  md: 'text/markdown',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  yaml: 'application/yaml',
  yml: 'application/yaml',
};

/** Media type by the end of the name; undefined when it says nothing. */
export function formatOf(fileName: string): string | undefined {
  const ending = fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase();
  return Object.hasOwn(FORMATS, ending) ? FORMATS[ending] : undefined;
}
