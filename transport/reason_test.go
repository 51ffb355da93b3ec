package transport_test

import (
	"strings"
	"testing"

	"reverb/transport"
)

func TestReasonLabels(t *testing.T) {
	seen := map[string]bool{}
	for r := range transport.Reason(transport.Reasons) {
		label := r.String()
		if label == "" || label == "unknown" || seen[label] || strings.ToLower(label) != label {
			t.Errorf("reason %d: label %q is empty, taken or not lower case", r, label)
		}
		seen[label] = true
	}
	if got := transport.Reason(200).String(); got != "unknown" {
		t.Errorf("no reason: got %q, want unknown", got)
	}
}
