// Loaded before the program (Pulumi.yaml, `nodeargs`), as JavaScript: an older Node could not read a line of TypeScript.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `mcp-edge needs Node 22.18 or later to run its TypeScript; the \`node\` on PATH is ${process.versions.node}. ` +
      'npm ci has installed a right one, put it first:\n  PATH="$PWD/node_modules/.bin:$PATH" pulumi up',
  );
  process.exit(1);
}
