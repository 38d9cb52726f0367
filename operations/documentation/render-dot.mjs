// DOT on standard input, SVG on standard output. A program of its own, since Graphviz comes as an ES module.
import { readFileSync } from "node:fs";
import { Graphviz } from "@hpcc-js/wasm-graphviz";

const graphviz = await Graphviz.load();
process.stdout.write(graphviz.dot(readFileSync(0, "utf8")));
