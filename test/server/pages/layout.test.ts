import { describe, expect, test } from "@jest/globals";
import { html } from "../../../server/pages/html.ts";
import { type PageOptions, page } from "../../../server/pages/layout.ts";

describe("html", () => {
  test.each([
    ["text", html`<p>${"<b>&\"'"}</p>`, "<p>&#60;b&#62;&#38;&#34;&#39;</p>"],
    ["an attribute", html`<a href="${'"><script>'}">`, '<a href="&#34;&#62;&#60;script&#62;">'],
    ["a template", html`<p>${html`<b>${"<"}</b>`}</p>`, "<p><b>&#60;</b></p>"],
    ["a list", html`${["<", html`<br>`, 1]}`, "&#60;<br>1"],
    ["nothing", html`[${undefined}${null}${false}]`, "[]"],
    [
      "text that only looks like a template",
      html`${{ toString: () => "<b>" } as unknown as string}`,
      "&#60;b&#62;",
    ],
  ])("%s", (_, made, expected) => expect(String(made)).toBe(expected));

  test("refuses a value outside of quotation marks", () => {
    expect(() => html`<a href=${"x onclick=alert(1)"}>`).toThrow("needs quotation marks");
  });
});

describe("page", () => {
  const policy = (forms: PageOptions["forms"]) =>
    page({ title: "T", body: html``, forms }).headers["content-security-policy"];

  test.each([
    [undefined, "form-action 'none'"],
    ["self" as const, "form-action 'self'"],
    [{ redirect: "https://client.example/callback?x=1" }, "form-action 'self' https://client.example"],
    [{ redirect: "http://127.0.0.1:3118/callback" }, "form-action 'self' http://127.0.0.1:3118"],
    [{ redirect: "cursor://anysphere.cursor-mcp/oauth/callback" }, "form-action 'self' cursor:"],
  ])("forms %j: %s", (forms, expected) => {
    expect(policy(forms)).toContain(`${expected};`);
    expect(policy(forms)).not.toMatch(/unsafe|script|data:/);
  });

  test("a page with a form lets the browser name its origin to this server, and to no other", () => {
    const { headers } = page({ title: "T", body: html``, forms: "self" });
    expect(headers["referrer-policy"]).toBe("same-origin");
  });

  test("is not stored unless it is public, and has no script and no inline style", () => {
    const { headers, body } = page({ title: "<T>", body: html`<h1>T</h1>` });
    expect(headers["cache-control"]).toBe("no-store");
    expect(page({ title: "T", body: html``, public: true }).headers["cache-control"]).toBe("no-cache");
    expect(body).toContain("<title>&#60;T&#62; – mcp-edge</title>");
    expect(body).not.toMatch(/<script|<style|style=/);
  });
});
