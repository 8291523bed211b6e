import { withEachStore } from "../auth/oauth/each-store.ts";
import { contract } from "./contract.ts";

withEachStore(contract);
