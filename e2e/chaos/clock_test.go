package chaos_test

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/internal/testtool"
)

// The clock of Redis, the only one that the nodes share, jumps ahead and back: nobody leaves who is there, and who dies is still missed.
// The nodes look at no clock that could jump.
func TestClockJumps(t *testing.T) {
	redis, b, jump := withClock(t)
	t.Parallel()
	tr := start(t, newSite(t, b))
	tr.fail(func() {
		for _, ahead := range []time.Duration{time.Hour, -time.Hour, 0} {
			jump(ahead)
			if off := clockOf(t, redis).Sub(time.Now().Add(ahead)); off.Abs() > 5*time.Second {
				t.Fatalf("the clock did not jump: it is %v off", off)
			}
			tr.flush()
			<-time.After(lease() + time.Second) // so that somebody could be taken for dead
		}
	})
	tr.fail(func() {
		jump(-2 * time.Hour)
		tr.s.kill(2)
	})
	tr.verdict(expectation{absent: []int{2}, ghosts: true})
}

// clockOf is what Redis takes for the time.
func clockOf(t *testing.T, redis *redistest.Server) time.Time {
	t.Helper()
	reply, ok := redis.Do("TIME").([]any)
	if !ok || len(reply) != 2 {
		t.Fatalf("TIME: %v", reply)
	}
	seconds, err := strconv.ParseInt(reply[0].(string), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(seconds, 0)
}

// withClock starts a Redis with a clock of its own. It is called while no other test starts anything.
func withClock(t *testing.T) (*redistest.Server, backend, func(time.Duration)) {
	t.Helper()
	compiler := testtool.Find(t, "cc")
	library, file := filepath.Join(t.TempDir(), "clock.so"), filepath.Join(t.TempDir(), "clock")
	if out, err := exec.Command(compiler, "-shared", "-fPIC", "-O1", "-o", library, "testdata/clock.c").CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
	if err := os.WriteFile(file, make([]byte, 8), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"LD_PRELOAD": library, "CLOCK": file} {
		if err := os.Setenv(name, value); err != nil {
			t.Fatal(err)
		}
	}
	redis, b := single(t, native)
	for _, name := range []string{"LD_PRELOAD", "CLOCK"} {
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	return redis, b, func(ahead time.Duration) {
		t.Helper()
		f, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		if _, err := f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(int64(ahead/time.Second))), 0); err != nil {
			t.Fatal(err)
		}
	}
}
