/** Prints the milliseconds that an import takes: of the package, or of a module of Node.js for comparison. */

const began = performance.now();
await import(process.argv[2]);
console.log(JSON.stringify({ took: performance.now() - began }));
