package house_test

import (
	"go/ast"
	"slices"
	"testing"
)

// maxMethods is how many methods one type may have: a type with more is more than one idea.
const maxMethods = 40

// tooMany are the types with more methods that are being divided. No type comes in; each goes out as it comes down.
var tooMany = []string{
	"poller.conn",
}

func TestMethods(t *testing.T) {
	methods := map[string]int{}
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil {
				methods[f.pkg+"."+receiver(fn.Recv.List[0].Type)]++
			}
		}
	}
	if len(methods) < 100 {
		t.Fatalf("found only %d types with methods", len(methods))
	}
	for name, n := range methods {
		if n > maxMethods && !slices.Contains(tooMany, name) {
			t.Errorf("%s has %d methods, at most %d", name, n, maxMethods)
		}
	}
	for _, name := range tooMany {
		if methods[name] <= maxMethods {
			t.Errorf("%s has %d methods: take it out of the list of exceptions", name, methods[name])
		}
	}
}

// receiver is the name of the type of a method.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
