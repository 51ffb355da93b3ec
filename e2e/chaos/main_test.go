// Package chaos_test has several real nodes and a real Redis fail under traffic, in every way that we could think of, and then looks
// whether everything that docs/scaling.md guarantees was true all the time: nobody is told anything twice or in the wrong order, what was
// lost was lost while something failed and is what the counters say, and soon everybody knows the same of everybody else.
//
// `go test ./e2e/chaos` is short; `make chaos` fails longer, more often, and with the lease that production has.
package chaos_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"reverb/internal/testclient"
)

// bin is the program under test, built once.
var bin string

// long says that there is time.
var long = flag.Bool("chaos.long", false, "fail longer and more often")

func TestMain(m *testing.M) {
	flag.Parse()
	// Most of the time a case waits for a lease to end or a Redis to be missed.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(testclient.WithProgram(func(_, program string) int {
		bin = program
		return m.Run()
	}))
}

// lease is that of the nodes: the shortest there may be, or that of production.
func lease() time.Duration {
	if *long {
		return 10 * time.Second
	}
	return 3 * time.Second
}

// failure is what a client of a node that fails ran into.
type failure string

func (f failure) Error() string { return string(f) }

// gentle is a test in which a failure of a client only ends what was tried.
type gentle struct{ testing.TB }

func (g gentle) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }
func (g gentle) Fatal(args ...any)                 { panic(failure(fmt.Sprint(args...))) }

// try calls f with a gentle test and returns what went wrong.
func try(t testing.TB, f func(t testing.TB)) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r
		default:
			panic(r)
		}
	}()
	f(gentle{t})
	return nil
}
