package e2e_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"reverb/internal/testclient"
)

// sameJSON compares without the order of keys, for answers whose order is nobody's promise.
func sameJSON(t *testing.T, got testclient.Answer, want string) testclient.Answer {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(got.Body), &a); err != nil {
		t.Fatalf("answer %d is not JSON: %s", got.Status, got.Body)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if got.Status != 200 || !reflect.DeepEqual(a, b) {
		t.Fatalf("answer\n got %d %s\nwant 200 %s", got.Status, got.Body, want)
	}
	return got
}
