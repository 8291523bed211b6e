import { parseArgs } from "node:util";
import { type Figure, render } from "./figures.ts";
import { machineFigures } from "./machine.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    /** Take the cached root filesystem for the first machine too: quicker, and no figure for a cold start. */
    warm: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) {
  console.log(
    "npm run bench [-- --warm] [-- --json]\n\nBoots machines, measures, removes them. Needs what `npm run up` needs. Two to three minutes.",
  );
  process.exit();
}

const figures: Figure[] = await machineFigures({ warm: values.warm, log: (line) => console.error(line) });
console.log(values.json ? JSON.stringify(figures, null, 2) : render(figures));
