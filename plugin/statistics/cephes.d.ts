/** The functions that are used of the package, whose own types its `exports` hide; of its named exports, some are broken. */
declare module 'cephes' {
  const cephes: {
    incbet(a: number, b: number, x: number): number;
    incbi(a: number, b: number, y: number): number;
    lgam(x: number): number;
    ndtr(x: number): number;
    ndtri(p: number): number;
  };
  export default cephes;
}
