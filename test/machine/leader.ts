import { leader } from "../../infra/local/guest.ts";

/** Prints the process id of a guest's init, or nothing if it does not run. MCP_EDGE_HOME has the folders of the stacks. */
const [guest = "{}"] = process.argv.slice(2);
console.log((await leader(JSON.parse(guest))) ?? "");
