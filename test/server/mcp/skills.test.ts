import { expect, test } from "@jest/globals";
import { INITIALIZE, makeRepository, rpc, startApp, temporaryFolder } from "../support.ts";

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

test("the skills are declared, and listed and readable as resources in both eras", async () => {
  const folder = await temporaryFolder();
  try {
    await makeRepository(`${folder.path}/sample`);
    await using running = await startApp({ WORKSPACE_DIR: folder.path });
    const { origin } = running;
    expect(await (await rpc(origin, INITIALIZE)).text()).toContain('"io.modelcontextprotocol/skills":{}');
    const request = (params: object) => ({ jsonrpc: "2.0", id: 1, method: "resources/read", params });
    const ways = [
      (uri: string) => rpc(origin, request({ uri }), { accept: "application/json" }),
      (uri: string) =>
        rpc(origin, request({ uri, _meta: META }), {
          accept: "application/json",
          "mcp-protocol-version": "2026-07-28",
          "mcp-method": "resources/read",
          "mcp-name": uri,
        }),
    ];
    for (const read of ways) {
      const textOf = async (uri: string) =>
        JSON.parse(await (await read(uri)).text()).result.contents[0].text;
      const { skills } = JSON.parse(await textOf("skill://index.json"));
      expect(skills.map(({ name }: { name: string }) => name)).toEqual([
        "explain-symbol",
        "review-diff",
        "onboard",
      ]);
      for (const { name, url } of skills) {
        // The last folder is the name of the skill, as in its front matter.
        expect(url).toBe(`skill://${name}/SKILL.md`);
        expect(await textOf(url)).toMatch(new RegExp(`^---\\nname: ${name}\\ndescription: ".+"\\n---\\n`));
      }
    }
  } finally {
    await folder.remove();
  }
});
