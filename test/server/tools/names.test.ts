import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findReferences } from "../../../server/tools/find-references.ts";
import { findSymbol } from "../../../server/tools/find-symbol.ts";
import { goToDefinition } from "../../../server/tools/go-to-definition.ts";
import { type Fixture, makeCodeFixture } from "./support.ts";

/** Names with special characters, and names that occur in several files. */
const FILES = {
  "web/sessions.ts": `export class Sessions {
  #bury(): void {}
  static #count = 0;
  close() { this.#bury(); bury(); }
  "quoted-name"() {}
}
function bury() {}
`,
  "lib/stack.rb": `class Stack
  def empty?; size == 0; end
  def empty; end
  def push!(x); end
  def top=(x); end
  def ==(other); end
  def [](n); end
end
Stack.new.push!(1) unless Stack.new.empty?
`,
  "src/file.cpp": `struct File { ~File(); bool operator==(const File& o) const; bool operator<(const File& o) const { return true; } };
File::~File() {}
bool File::operator==(const File& o) const { return this->operator<(o); }
`,
  "app/User.php": `<?php
namespace App\\Models;
class User {
  public $name;
  public function label() { return $this->name; }
}
`,
  "lexer/src/token.rs": "fn r#type() -> u8 { 1 }\nfn other() -> u8 { r#type() }\n",
  "ps/tools.ps1": "function Get-Thing { 1 }\nGet-Thing\n",
  "style/menu.css": "#top { color: red }\n.menu > a:hover { color: red }\n",
  "net/http/server.go":
    "package http\n\ntype Server struct{}\n\nfunc (s *Server) Serve() {}\nfunc Listen() {}\n",
  "net/rpc/server.go":
    "package rpc\n\ntype Server struct{}\n\nfunc (s *Server) Serve() {}\nfunc Listen() {}\n",
  "java/com/acme/UserService.java": "package com.acme;\nclass UserService { void find() {} }\n",
  "java/org/else/UserService.java": "package org.other;\nclass UserService { void find() {} }\n",
  "cs/Service.cs": "namespace My.App;\nclass Service { void Run() {} }\n",
  "cs/Block.cs": "namespace Your.App { class Service { void Run() {} } }\n",
  "py/config.py": "def read_config(): pass\n",
  "py/cli/__init__.py": "def read_config(): pass\n",
  "rs/my-crate/src/net.rs": "pub mod tcp { pub fn dial() {} }\n",
  "web/user.ts": `const user = { id: 1 };
const userId = user.id;
class Admin { rename() {} }
class Guest { rename() {} }
new Guest().rename(); Admin.rename();
`,
};

let fixture: Fixture;
beforeAll(async () => {
  fixture = await makeCodeFixture(FILES);
});
afterAll(() => fixture.remove());

type Row = Record<string, unknown>;
const places = (rows: unknown) => (rows as Row[]).map((r) => `${r.path}:${r.line}`);
const find = (name: string, more = {}) => fixture.call(findSymbol, { name, ...more });

describe("find_symbol by every spelling", () => {
  test.each([
    [
      [
        "Sessions/#bury",
        "Sessions.#bury",
        "Sessions::bury",
        "Sessions#bury",
        "Sessions::#bury",
        "#bury",
        "sessions.ts/#bury",
      ],
      ["web/sessions.ts:2"],
    ],
    [["bury"], ["web/sessions.ts:7", "web/sessions.ts:2"]],
    [["Sessions.count", "#count", "Sessions/#count"], ["web/sessions.ts:3"]],
    [["Sessions.quoted-name", "quoted-name", '"quoted-name"'], ["web/sessions.ts:5"]],
    [["Stack#empty?", "Stack.empty?", "Stack/empty?", "empty?", "Stack::empty?"], ["lib/stack.rb:2"]],
    [["Stack#push!", "push!", "push", "Stack.push"], ["lib/stack.rb:4"]],
    [["Stack#top=", "top=", "Stack.top"], ["lib/stack.rb:5"]],
    [["Stack#==", "=="], ["lib/stack.rb:6"]],
    [["Stack#[]", "[]"], ["lib/stack.rb:7"]],
    [
      ["File::~File", "~File", "File.~File"],
      ["src/file.cpp:2", "src/file.cpp:1"],
    ],
    [
      ["File::operator==", "operator==", "operator ==", "File/operator=="],
      ["src/file.cpp:3", "src/file.cpp:1"],
    ],
    [["User::$name", "$name", "User->name", "App\\Models\\User::$name", "User.name"], ["app/User.php:4"]],
    [["r#type", "token::r#type", "type", "lexer::token::type"], ["lexer/src/token.rs:1"]],
    [["Get-Thing", "tools/Get-Thing"], ["ps/tools.ps1:1"]],
    [["#top", "top"], ["style/menu.css:1"]],
    [[".menu > a:hover"], ["style/menu.css:2"]],
  ])("%j", async (names, expected) => {
    for (const name of names) {
      const found = places((await find(name)).symbols);
      if (name === "top") expect([name, found]).toEqual([name, expect.arrayContaining(expected)]);
      else expect([name, found.toSorted()]).toEqual([name, expected.toSorted()]);
    }
  });
});

describe("find_symbol by package, module, file or folder", () => {
  test.each([
    [["http.Server", "net/http.Server", "net/http/server.go:Server"], ["net/http/server.go:3"]],
    [["http.Server.Serve", "(*Server).Serve", "rpc.Server.Serve"], undefined],
    [["rpc.Listen", "net.rpc.Listen"], ["net/rpc/server.go:6"]],
    [["com.acme.UserService"], ["java/com/acme/UserService.java:2"]],
    [["com.acme.UserService.find", "acme.UserService#find()"], ["java/com/acme/UserService.java:2"]],
    [["org.other.UserService"], ["java/org/else/UserService.java:2"]],
    [["My.App.Service", "My.App.Service.Run"], ["cs/Service.cs:2"]],
    [["Your.App.Service", "Your.App.Service.Run"], ["cs/Block.cs:1"]],
    [["config.read_config", "py.config.read_config"], ["py/config.py:1"]],
    [["cli.read_config"], ["py/cli/__init__.py:1"]],
    [["my_crate::net::tcp::dial", "crate::net::tcp::dial", "tcp::dial"], ["rs/my-crate/src/net.rs:1"]],
    [["App\\Models\\User"], ["app/User.php:3"]],
  ])("%j", async (names, expected) => {
    for (const name of names) {
      const found = await find(name);
      if (expected) expect([name, places(found.symbols)]).toEqual([name, expected]);
      else expect((found.symbols as Row[]).length).toBeGreaterThan(0);
      expect(found.note).toBeUndefined();
    }
  });

  test.each([
    ["edu.acme.UserService", "edu", ["java/com/acme/UserService.java:2"]],
    [
      "nowhere.UserService",
      "nowhere",
      ["java/com/acme/UserService.java:2", "java/org/else/UserService.java:2"],
    ],
    ["a::b::tcp::dial", "a/b", ["rs/my-crate/src/net.rs:1"]],
  ])("%s: says that %s does not fit", async (name, part, expected) => {
    const found = await find(name);
    expect(places(found.symbols).toSorted()).toEqual(expected);
    expect(found.note).toContain(JSON.stringify(part));
  });

  test.each([
    ["UserServce", "UserService"],
    ["readConfig", "read_config"],
    ["http.Servr", "Server"],
    ["#burry", "bury"],
  ])("nothing is named %s: suggests %s", async (name, like) => {
    const found = await find(name);
    expect(found).toMatchObject({ symbols: [], total: 0, partial: false });
    expect(found.note).toContain(like);
  });
});

describe("find_symbol with more matches than it can rank", () => {
  test("filters before it cuts, and says that it cut", async () => {
    const many = await makeCodeFixture({
      ...Object.fromEntries(
        ["a", "b", "c"].map((f) => [
          `${f}.ts`,
          Array.from({ length: 700 }, (_, n) => `class ${f}${n} { toString() {} }`).join("\n"),
        ]),
      ),
      "z.ts": "class Last { toString() {} }\nfunction toString() {}\n",
    });
    try {
      const names = async (args: Record<string, unknown>) => {
        const found = await many.call(findSymbol, args);
        return [places(found.symbols), found.total, found.partial];
      };
      expect(await names({ name: "Last.toString" })).toEqual([["z.ts:1"], 1, false]);
      expect(await names({ name: "toString", kinds: ["function"] })).toEqual([["z.ts:2"], 1, false]);
      expect(await names({ name: "toString", path: "z.ts" })).toEqual([["z.ts:1", "z.ts:2"], 2, false]);
      const all = await many.call(findSymbol, { name: "toString", max_results: 1 });
      expect(all).toMatchObject({ total: 2_102, partial: true, truncated: true });
    } finally {
      await many.remove();
    }
  });
});

describe("find_references by every spelling", () => {
  test.each([
    ["Sessions/#bury", ["web/sessions.ts:4"]],
    ["#bury", ["web/sessions.ts:4"]],
    ["Stack#empty?", ["lib/stack.rb:9"]],
    ["push!", ["lib/stack.rb:9"]],
    ["operator<", ["src/file.cpp:3"]],
    ["User::$name", ["app/User.php:5"]],
    ["r#type", ["lexer/src/token.rs:2"]],
    ["Get-Thing", ["ps/tools.ps1:2"]],
  ])("%s", async (name, expected) => {
    expect(places((await fixture.call(findReferences, { name })).references)).toEqual(expected);
  });

  test.each(["#bury", "empty?", "push!", "~File", "operator==", "$name", "r#type", "Get-Thing"])(
    "the definition of %s is marked as a definition",
    async (name) => {
      const found = await fixture.call(findReferences, { name, include_definitions: true });
      const roles = (found.references as Row[]).map((r) => r.role);
      expect(roles).toContain("definition");
    },
  );
});

describe("go_to_definition", () => {
  const go = async (path: string, line: number, at: Row) => {
    const found = await fixture.call(goToDefinition, { path, line, ...at });
    return `${found.name} ${places(found.definitions)[0]}`;
  };

  test.each<[string, number, Row, string]>([
    ["web/sessions.ts", 4, { symbol: "#bury" }, "#bury web/sessions.ts:2"],
    ["web/sessions.ts", 4, { symbol: "this.#bury" }, "#bury web/sessions.ts:2"],
    ["web/sessions.ts", 4, { symbol: "Sessions/#bury" }, "#bury web/sessions.ts:2"],
    ["web/sessions.ts", 4, { column: 19 }, "#bury web/sessions.ts:2"],
    ["web/sessions.ts", 4, { column: 28 }, "bury web/sessions.ts:7"],
    ["lib/stack.rb", 9, { symbol: "empty?" }, "empty? lib/stack.rb:2"],
    ["lib/stack.rb", 9, { symbol: "push!" }, "push! lib/stack.rb:4"],
    ["lib/stack.rb", 9, { column: 12 }, "push! lib/stack.rb:4"],
    ["src/file.cpp", 3, { symbol: "operator<" }, "operator< src/file.cpp:1"],
    ["app/User.php", 5, { symbol: "name" }, "name app/User.php:4"],
    ["app/User.php", 5, { symbol: "$name" }, "name app/User.php:4"],
    ["lexer/src/token.rs", 2, { symbol: "r#type" }, "r#type lexer/src/token.rs:1"],
    ["ps/tools.ps1", 2, { symbol: "Get-Thing" }, "Get-Thing ps/tools.ps1:1"],
    ["ps/tools.ps1", 2, { column: 6 }, "Get-Thing ps/tools.ps1:1"],
    ["web/user.ts", 2, { symbol: "user" }, "user web/user.ts:1"],
    ["web/user.ts", 5, { symbol: "Admin.rename" }, "rename web/user.ts:3"],
    ["web/user.ts", 5, { symbol: "Guest.rename" }, "rename web/user.ts:4"],
    ["web/user.ts", 5, { symbol: "Guest" }, "Guest web/user.ts:4"],
  ])("%s:%i %j: %s", async (path, line, at, expected) => {
    expect(await go(path, line, at)).toBe(expected);
  });

  test.each(["use", "ser", "Id"])("%s is only a part of a word in the line", async (symbol) => {
    await expect(go("web/user.ts", 2, { symbol })).rejects.toThrow("no such name on line 2");
  });
});
