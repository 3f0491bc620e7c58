// Writes the peak memory of each process that ends by itself, in KiB, to the file PEAK_MEMORY_LOG (Linux only).
const { appendFileSync, readFileSync } = require('node:fs');

process.on('exit', () => {
  const [, peak] = /VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  appendFileSync(process.env.PEAK_MEMORY_LOG, `${peak}\n`);
});
