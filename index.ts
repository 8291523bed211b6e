import { edge } from "./infra/edge.ts";

// The same program under `pulumi up` and under `npm run up`; the stack's configuration says what it makes, and so which outputs
// there are.
export default await edge();
