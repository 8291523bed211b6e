/** Where programs are looked for: the one variable that children and threads get from the server's own environment. */
export const PATH = process.env.PATH || "/usr/bin:/bin";
