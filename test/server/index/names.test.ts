import { describe, expect, test } from "@jest/globals";
import { bareName, fitOf, splitNamePath } from "../../../server/index/names.ts";

describe("splitNamePath", () => {
  test.each([
    ["a/B.c", ["a", "B"], "c"],
    ["std::vec::Vec", ["std", "vec"], "Vec"],
    ["/", [], "/"],
    ["plain", [], "plain"],
    ["Sessions/#bury", ["Sessions"], "#bury"],
    ["Sessions.#bury", ["Sessions"], "#bury"],
    ["Sessions#bury", ["Sessions"], "bury"],
    ["#bury", [], "#bury"],
    ["Stack#empty?", ["Stack"], "empty?"],
    ["Stack.push!", ["Stack"], "push!"],
    ["Point#==", ["Point"], "=="],
    ["Point#[]=", ["Point"], "[]="],
    ["<=>", [], "<=>"],
    ["ns::File::~File", ["ns", "File"], "~File"],
    ["ns::V::operator==", ["ns", "V"], "operator=="],
    ["V::operator ()", ["V"], "operator ()"],
    ["operator bool", [], "operator bool"],
    ["App\\Models\\User::$name", ["App", "Models", "User"], "$name"],
    ["\\App\\User->name()", ["App", "User"], "name"],
    ["crate::lexer::r#type", ["lexer"], "r#type"],
    ["r#type", [], "r#type"],
    ["(*Server).Serve", ["Server"], "Serve"],
    ["Vec<T>::push", ["Vec"], "push"],
    ["List.add(int, String)", ["List"], "add"],
    ["a?.b", ["a"], "b"],
    ["src/a.ts:Foo", ["src", "a", "ts"], "Foo"],
  ])("%s", (text, parents, name) => {
    expect(splitNamePath(text)).toEqual({ parents, name, whole: text });
  });
});

test.each([
  ["#bury", "bury"],
  ["empty?", "empty"],
  ["name=", "name"],
  ["~File", "File"],
  ["r#type", "type"],
  ["$scope", "scope"],
  ["operator ==", "operator=="],
  ["operator  bool", "operator bool"],
  ["'quoted-name'", "quoted-name"],
  ["==", "=="],
  ["$", "$"],
  [".menu > a", ".menu > a"],
])("the bare form of %s is %s", (name, bare) => {
  expect(bareName(name)).toBe(bare);
});

describe("fitOf", () => {
  const surroundings = {
    path: "src/main/java/com/acme/UserService.java",
    package: "com.acme",
    parent: "UserService",
  };
  test.each([
    [["UserService"], 3],
    [["com", "acme", "UserService"], 7],
    [["acme"], 2],
    [["UserService", "java"], 4],
    [["org", "acme", "UserService"], 5],
    [["Other"], 0],
    [[], 0],
  ])("%j: %i", (parents, fit) => {
    expect(fitOf(parents, surroundings)).toBe(fit);
  });
});
