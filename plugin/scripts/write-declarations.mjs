// Makes the declarations fit for every consumer, and gives CommonJS its own.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const build = fileURLToPath(new URL('../build', import.meta.url));
const dist = fileURLToPath(new URL('../dist', import.meta.url));
const cjs = join(dist, 'cjs');
const SPECIFIER = /((?:from |import\()['"]\.[^'"]+)\.(?:ts|js)(['"])/g;

// The compiler rewrites the endings of imports in code, but not in declarations.
for (const file of readdirSync(build, { recursive: true })) {
  if (!file.endsWith('.d.ts')) continue;
  const path = join(build, file);
  const text = readFileSync(path, 'utf8');
  const mended = text.replace(SPECIFIER, '$1.js$2');
  if (mended !== text) writeFileSync(path, mended);
}

// ES modules and CommonJS get the same code, so that there is one of each class. CommonJS is what Nx loads with every command: the
// part that Nx needs is there at once, and the rest when somebody asks for it. TypeScript wants declarations that say so.
const [whole, light] = await Promise.all([import('../build/index.js'), import('../build/plugin.js')]);
const forNx = Object.keys(light);
const rest = Object.keys(whole).filter((name) => !forNx.includes(name));
mkdirSync(cjs);
writeFileSync(join(cjs, 'package.json'), '{ "type": "commonjs" }\n');
writeFileSync(
  join(cjs, 'index.js'),
  `const { ${forNx.join(', ')} } = require('../plugin.cjs');
module.exports = { ${forNx.join(', ')} };
for (const name of ${JSON.stringify(rest)})
  Object.defineProperty(module.exports, name, { enumerable: true, get: () => require('../index.cjs')[name] });
`,
);
writeFileSync(
  join(dist, 'index.js'),
  `import { createRequire } from 'node:module';

export const { ${Object.keys(whole).join(', ')} } = createRequire(import.meta.url)('./index.cjs');
`,
);
const reached = new Set(['index.d.ts']);
for (const file of reached) {
  const text = readFileSync(join(build, file), 'utf8');
  for (const [, start] of text.matchAll(SPECIFIER)) {
    const specifier = start.slice(start.search(/['"]/) + 1);
    reached.add(posix.join(posix.dirname(file), `${specifier}.d.ts`));
  }
  for (const folder of [dist, cjs]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(build, file), join(folder, file));
  }
}
