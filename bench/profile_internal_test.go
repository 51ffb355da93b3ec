package bench

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseProfile(t *testing.T) {
	p, err := parseProfile(`
[servers.a]
addr = "127.0.0.1:1"
cpus = "0"

[[run]]
name = "slowly"
scenario = "broadcast"
subscribers = 2_000
rate = 2.5
duration = "90s"
`)
	if err != nil {
		t.Fatal(err)
	}
	set := p.Runs[0]
	if set.Name != "slowly" || set.Subscribers != 2000 || set.Rate != 2.5 || set.Duration != 90*time.Second || set.Size != 200 {
		t.Errorf("settings %+v", set)
	}
	if s := p.Servers["a"]; s.Name != "a" || s.Addr != "127.0.0.1:1" || s.CPUs != "0" {
		t.Errorf("server %+v", s)
	}
}

func TestParseProfileRefuses(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"[[run]]\nscenario = 'brodcast'", `there is no scenario "brodcast"; there are idle,`},
		{"[[run]]\nscenario = 'broadcast'\nslow = 3", `broadcast has no setting "slow"`},
		{"[[run]]\nscenario = 'broadcast'\nrats = 3", `broadcast has no setting "rats"`},
		{"[[run]]\nscenario = 'broadcast'\nsize = -1", "size: -1 is not within"},
		{"[[run]]\nscenario = 'broadcast'\nprobes = -1", "probes: -1 is not within"},
		{"[[run]]\nscenario = 'broadcast'\nsize = '1'", "incompatible"},
		{"[[run]]\nscenario = 'broadcast'\nkind = 'presence'", `"presence" is neither`},
		{"[[run]]\nscenario = 'broadcast'\n[[run]]\nscenario = 'broadcast'\nduration = '0s'", "run 2: duration"},
		{"[[runs]]\nscenario = 'broadcast'", "runs is not known"},
		{"[servers.a]\nhost = '1'", "servers.a.host is not known"},
		{"[[run", "expected"},
	} {
		if _, err := parseProfile(tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: error %v, want %q", tc.text, err, tc.want)
		}
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add("[[run]]\nscenario = 'idle'\nconnections = 3\n[servers.a]\naddr='1'")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseProfile(text)
		if err != nil {
			return
		}
		for _, set := range p.Runs {
			if err := set.validate(); err != nil {
				t.Errorf("accepted %q, which is refused later: %v", text, err)
			}
		}
	})
}

// The profiles that are shipped can be run, and every setting of each scenario exists.
func TestShipped(t *testing.T) {
	files, _ := filepath.Glob("profiles/*.toml")
	used := map[string]bool{}
	for _, name := range files {
		p, err := readProfile(name)
		if err != nil {
			t.Error(err)
		}
		for _, set := range p.Runs {
			used[set.Scenario] = true
		}
		for _, s := range p.Servers {
			if err := s.check(); err != nil {
				t.Error(err)
			}
		}
	}
	var keys []string
	set := defaults()
	for f := range set.fields() {
		keys = append(keys, f.key)
	}
	for _, sc := range scenarios {
		if !used[sc.name] {
			t.Errorf("no profile runs %s", sc.name)
		}
		begin := sc.settings()
		if err := begin.validate(); err != nil {
			t.Errorf("%s: %v", sc.name, err)
		}
		for _, key := range sc.uses {
			if !slices.Contains(keys, key) {
				t.Errorf("%s uses %q, which is no setting", sc.name, key)
			}
		}
	}
}

func TestParseServer(t *testing.T) {
	s, err := parseServer("wss://k:s@host:6001/ws?app_id=7&pid=12&origin=http://a&metrics=http://b:9/metrics")
	want := Server{
		Name: "host:6001", Addr: "host:6001", Path: "/ws", TLS: true, Key: "k", Secret: "s", AppID: "7", PID: 12,
		Origin: "http://a", Metrics: "http://b:9/metrics",
	}
	if err != nil || s != want {
		t.Errorf("got %+v, %v, want %+v", s, err, want)
	}
	if got := (Server{Key: "mine"}).merge(Server{Key: "theirs", Secret: "s", Addr: "a:1", Spawn: "x", PID: 3}); got != (Server{Key: "mine", Secret: "s", Addr: "a:1"}) {
		t.Errorf("merged %+v", got)
	}
	for _, text := range []string{"", "name", "http://h:1", "ws://h", "ws://h:1?pid=x", "ws://h:1?pid=1&spawn=x", "ws://h:0", "ws://h:1?cpus=a"} {
		if s, err := parseServer(text); err == nil {
			t.Errorf("%q was accepted as %+v", text, s)
		}
	}
}

func TestParseCPUs(t *testing.T) {
	for text, want := range map[string][]int{"": nil, "0": {0}, "2-4,7": {2, 3, 4, 7}} {
		if got, err := parseCPUs(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", "1-", "3-2", "a", ",", "1,,2", "1024", "0-99999999999"} {
		if got, err := parseCPUs(text); err == nil {
			t.Errorf("%q was accepted as %v", text, got)
		}
	}
}

func TestFaults(t *testing.T) {
	var f faults
	for n := range maxFaults + 5 {
		f.add("kind %02d", n)
	}
	f.add("kind 00")
	lines := f.list()
	if len(lines) != maxFaults+1 || lines[0] != "kind 00 (2 times)" || lines[maxFaults] != "5 more of other kinds" {
		t.Errorf("lines %q", lines)
	}
}

// In turn: the last server of a round is the first of the next.
func TestOrder(t *testing.T) {
	p := plan{servers: make([]Server, 2)}
	if !slices.Equal(p.order(0), []int{0, 1}) || !slices.Equal(p.order(1), []int{1, 0}) {
		t.Errorf("rounds go %v, %v", p.order(0), p.order(1))
	}
}
