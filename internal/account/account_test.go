package account_test

import (
	"os"
	"os/user"
	"testing"

	"reverb/internal/account"
)

func TestName(t *testing.T) {
	self, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := account.Name(os.Getuid()); !ok || name != self.Username {
		t.Errorf("got %q, %v; want %q", name, ok, self.Username)
	}
	if name, ok := account.Name(1<<30 + 7); ok {
		t.Errorf("a user that nobody made is %q", name)
	}
}
