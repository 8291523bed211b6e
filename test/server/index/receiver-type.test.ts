import { expect, test } from "@jest/globals";
import { LITERAL, receiverTypes, returnType } from "../../../server/index/receiver-type.ts";

test.each([
  ["python", "def f(text: Text):\n    text.@", "text", { type: "Text" }],
  ["python", "def f(text: Optional[Text] = None):\n    text.@", "text", { type: "Text" }],
  ["python", "lines = []\nlines.@", "lines", { type: LITERAL }],
  ["python", "style = rich.Style('red')\nstyle.@", "style", { type: "Style" }],
  ["python", "style = get_style('red')\nstyle.@", "style", { call: "get_style" }],
  ["python", "with Live(table) as live:\n    live.@", "live", { type: "Live" }],
  ["python", "self.text = Text()\nself.text.@", "text", { type: "Text" }],
  ["python", "a = Text()\na = Style()\na.@", "a", { type: "Style" }],
  ["go", "func f(w http.ResponseWriter, r *Request) {\n\tr.@", "r", { type: "Request" }],
  ["go", "r := chi.NewRouter()\nr.@", "r", { call: "NewRouter" }],
  ["go", 'c, err := Open("x")\nc.@', "c", { call: "Open" }],
  ["go", "n := &node{typ: 1}\nn.@", "n", { type: "node" }],
  ["go", "var mux *Mux\nmux.@", "mux", { type: "Mux" }],
  ["go", "func (mx *Mux) Use() {\n\tmx.@", "mx", { type: "Mux" }],
  [
    "go",
    'r := NewRouter()\nr.Get("/", func(w Writer, r *Request) {\n\tr.Body()\n})\nr.@',
    "r",
    { call: "NewRouter" },
  ],
  ["typescript", "const pool = new JobPool(2);\npool.@", "pool", { type: "JobPool" }],
  ["typescript", "function f(pool: Readonly<JobPool>) {\n  pool.@", "pool", { type: "JobPool" }],
  ["typescript", "const name = 'x';\nname.@", "name", { type: LITERAL }],
  ["java", "void f(UserService service) {\n  service.@", "service", { type: "UserService" }],
  ["typescript", "pool.@", "pool", undefined],
])("the declaration of a receiver tells its type: %s, %j", (grammar, code, name, declared) => {
  const index = code.indexOf("@");
  const found = receiverTypes(code.replace("@", "run()"), grammar)(name, index);
  if (declared === undefined) expect(found).toBeUndefined();
  else expect(found).toMatchObject(declared);
});

test.each([
  ["go", "func NewRouter() *Mux", "Mux"],
  ["go", "func Open(name string) (*os.File, error)", "File"],
  ["python", "def parse(cls, text: str) -> Style", "Style"],
  ["python", 'def get(self) -> Optional["Style"]', "Style"],
  ["ecmascript", "open(path: string): Promise<Handle>", "Handle"],
  ["go", "func run()", undefined],
])("a signature tells what a function returns: %s, %s", (family, signature, type) => {
  expect(returnType(signature, family)).toBe(type);
});
