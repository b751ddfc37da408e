// Runs the WebAssembly module: node run.mjs MODULE LEVEL, the level by its number, slowest first.
import { readFileSync, writeSync } from "node:fs";

const [path, level] = process.argv.slice(2);
const host = {
    write: (text, length) => writeSync(1, Buffer.from(instance.exports.memory.buffer, text, length)),
};
const { instance } = await WebAssembly.instantiate(readFileSync(path), { host });
process.exitCode = instance.exports.golden(Number(level));
