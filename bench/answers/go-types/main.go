// Writes the definitions and uses in a Go module, as the type checker of the compiler knows them, as JSON: one object for each file.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Occurrence is a place where a name is defined or used. Lines and columns begin at 0; columns count bytes.
type Occurrence struct {
	Symbol     string `json:"symbol"`
	Name       string `json:"name"`
	Line       int    `json:"line"`
	Column     int    `json:"column"`
	Definition bool   `json:"definition"`
	Local      bool   `json:"local"`
}

func main() {
	root, err := filepath.Abs(os.Args[1])
	check(err)
	check(os.Chdir(root))
	files := token.NewFileSet()
	config := types.Config{Importer: importer.ForCompiler(files, "source", nil), Error: func(error) {}}
	found := map[string][]Occurrence{}
	for _, folder := range folders(root) {
		for _, parsed := range packages(files, folder) {
			info := types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
			_, _ = config.Check(folder, files, parsed, &info)
			for ident, object := range info.Defs {
				add(found, files, root, ident, object, true)
			}
			for ident, object := range info.Uses {
				add(found, files, root, ident, object, false)
			}
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(found))
}

func folders(root string) []string {
	var all []string
	check(filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if name := entry.Name(); strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" {
			return filepath.SkipDir
		}
		all = append(all, path)
		return nil
	}))
	return all
}

// The package of a folder, with its tests, and the package of its external tests.
func packages(files *token.FileSet, folder string) map[string][]*ast.File {
	parsed := map[string][]*ast.File{}
	names, _ := filepath.Glob(filepath.Join(folder, "*.go"))
	for _, name := range names {
		if file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution); err == nil {
			parsed[file.Name.Name] = append(parsed[file.Name.Name], file)
		}
	}
	return parsed
}

func add(found map[string][]Occurrence, files *token.FileSet, root string, ident *ast.Ident, object types.Object, defines bool) {
	if object == nil || ident.Name == "_" {
		return
	}
	if fn, ok := object.(*types.Func); ok {
		object = fn.Origin()
	}
	if v, ok := object.(*types.Var); ok {
		object = v.Origin()
	}
	at, of := files.Position(ident.Pos()), files.Position(object.Pos())
	path, err := filepath.Rel(root, at.Filename)
	home, err2 := filepath.Rel(root, of.Filename)
	if err != nil || err2 != nil || strings.HasPrefix(home, "..") || of.Filename == "" {
		return
	}
	if _, isPackage := object.(*types.PkgName); isPackage {
		return
	}
	symbol := fmt.Sprintf("%s:%d:%d", home, of.Line, of.Column)
	// Fields and methods have no scope.
	local := object.Parent() != nil && object.Pkg() != nil && object.Parent() != object.Pkg().Scope()
	found[path] = append(found[path], Occurrence{symbol, ident.Name, at.Line - 1, at.Column - 1, defines, local})
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
