package measure_test

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"reverb/bench/measure"
)

// A line of a real process, with a name made to mislead.
const statLine = `4711 (evil) R (x y) S 1 4711 4711 0 -1 4194560 9813 77 0 0 150 50 7 3 20 0 11 0 8123456 1266000000 5000 ` +
	`18446744073709551615 1 1 0 0 0 0 0 4096 17002 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0`

func TestParseStat(t *testing.T) {
	u, ended, err := measure.ParseStat([]byte(statLine))
	want := measure.Usage{
		RSS: 5000 * int64(os.Getpagesize()), Threads: 11,
		CPU: 2100 * time.Millisecond, User: 1570 * time.Millisecond, System: 530 * time.Millisecond,
	}
	if err != nil || u != want || ended != 100*time.Millisecond {
		t.Errorf("got %+v, %v, %v\nwant %+v", u, ended, err, want)
	}
}

func TestParseStatCutAnywhere(t *testing.T) {
	enough := strings.Index(statLine, " 5000 ") + len(" 5")
	for end := range enough - 1 {
		if u, _, err := measure.ParseStat([]byte(statLine[:end])); err == nil {
			t.Fatalf("%q: got %+v", statLine[:end], u)
		}
	}
	if _, _, err := measure.ParseStat([]byte(strings.Replace(statLine, " 5000 ", " many ", 1))); err == nil {
		t.Error("no error for a word in place of a number")
	}
}

func TestProcessByPid(t *testing.T) {
	process, err := measure.NewProcess(t.Context(), os.Getpid(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := process.Name(); !strings.HasSuffix(got, ".test") || strings.Contains(got, "/") {
		t.Errorf("name is %q", got)
	}
	from, err := process.Sample(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if from.RSS < 1<<20 || from.CPU <= 0 || from.Threads < 1 {
		t.Errorf("got %+v", from)
	}
	for start := time.Now(); time.Since(start) < 30*time.Millisecond; { // work that can be measured
	}
	to, err := process.Exact(t.Context())
	if err != nil || to.RSS < 1<<20 || to.FDs < 3 {
		t.Errorf("exactly: %+v, %v", to, err)
	}
	if cores := measure.CPUCores(from, to); cores <= 0 {
		t.Errorf("used %v cores", cores)
	}
}

func TestProcessCountsItsChildren(t *testing.T) {
	process, err := measure.NewProcess(t.Context(), os.Getpid(), "")
	if err != nil {
		t.Fatal(err)
	}
	alone, err := process.Exact(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), asChild+"=1")
	in, errIn := child.StdinPipe()
	out, errOut := child.StdoutPipe()
	if errIn != nil || errOut != nil {
		t.Fatal(errIn, errOut)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready"))); err != nil {
		t.Fatal(err)
	}
	both, err := process.Exact(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if both.Threads < alone.Threads+2 || both.RSS < alone.RSS+1<<20 {
		t.Errorf("alone %+v, with a child %+v", alone, both)
	}
	_ = in.Close()
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	after, err := process.Sample(t.Context())
	// The kernel keeps the time of ended children in hundredths of a second, user and system each.
	if err != nil || after.CPU < both.CPU-20*time.Millisecond {
		t.Errorf("the child's time is lost: %v, then %v (%v)", both.CPU, after.CPU, err)
	}
}
