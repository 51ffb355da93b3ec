package envlist_test

import (
	"testing"

	"reverb/internal/envlist"
)

func TestGet(t *testing.T) {
	list := []string{"A=1", "NAME=first", "NAME=last=one", "B", "EMPTY="}
	for name, want := range map[string]string{"NAME": "last=one", "A": "1", "B": "", "C": "", "EMPTY": ""} {
		if got := envlist.Get(list, name); got != want {
			t.Errorf("Get(%q) = %q, want %q", name, got, want)
		}
	}
	if _, ok := envlist.Lookup(list, "EMPTY"); !ok {
		t.Error("a variable that is empty is set")
	}
}
