package bench_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"reverb/bench/measure"
)

// fake is a Pusher server that can be told to do wrong.
type fake struct {
	*httptest.Server
	wrong func(n int, frame string, send func(string)) // delivers the n-th event, from 1 up

	refuse int // every so many events one is answered with 503; 0: none
	asked  int // the status of the answer to a GET; 0: 200

	mu          sync.Mutex
	subscribers []net.Conn
	events      int
	readers     sync.WaitGroup
}

func newFake(t *testing.T, wrong func(n int, frame string, send func(string))) *fake {
	t.Helper()
	f := &fake{wrong: wrong}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/app/") {
			f.accept(w, r)
			return
		}
		f.publish(w, r)
	}))
	t.Cleanup(func() {
		f.Server.Close()
		f.readers.Wait()
	})
	return f
}

func (f *fake) accept(w http.ResponseWriter, r *http.Request) {
	conn, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	f.readers.Go(func() {
		defer conn.Close()
		f.say(conn, `{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.1\",\"activity_timeout\":30}"}`)
		for {
			text, _, err := wsutil.ReadClientData(conn)
			if err != nil {
				return
			}
			var m struct {
				Event string
				Data  struct{ Channel string }
			}
			if json.Unmarshal(text, &m) != nil || m.Event != "pusher:subscribe" {
				continue
			}
			f.mu.Lock()
			f.subscribers = append(f.subscribers, conn)
			f.mu.Unlock()
			f.say(conn, `{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"`+m.Data.Channel+`"}`)
		}
	})
}

func (f *fake) publish(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		w.WriteHeader(max(f.asked, http.StatusOK))
		return
	}
	body, _ := io.ReadAll(r.Body)
	var e struct {
		Name     string
		Data     string
		Channels []string
	}
	if json.Unmarshal(body, &e) != nil || len(e.Channels) != 1 {
		http.Error(w, "bad body", http.StatusBadRequest)
		return
	}
	data, _ := json.Marshal(e.Data)
	f.mu.Lock()
	f.events++
	n, all := f.events, append([]net.Conn(nil), f.subscribers...)
	f.mu.Unlock()
	if f.refuse > 0 && n%f.refuse == 0 {
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	frame := `{"event":"` + e.Name + `","data":` + string(data) + `,"channel":"` + e.Channels[0] + `"}`
	f.wrong(n, frame, func(text string) {
		for _, conn := range all {
			f.say(conn, text)
		}
	})
	_, _ = io.WriteString(w, "{}")
}

func (f *fake) say(conn net.Conn, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = wsutil.WriteServerText(conn, []byte(text))
}

// A bench that believes a server which loses, repeats or mixes up events is worth nothing.
func TestWrongServers(t *testing.T) {
	var held string
	missing := func(c measure.Checks) int64 { return c.Missing }
	for _, tc := range []struct {
		name  string
		wrong func(n int, frame string, send func(string))
		count func(measure.Checks) int64 // what must be above zero; nil: nothing is wrong
	}{
		{"right", func(_ int, frame string, send func(string)) { send(frame) }, nil},
		{"loses every tenth", func(n int, frame string, send func(string)) {
			if n%10 != 0 {
				send(frame)
			}
		}, missing},
		{"loses the last ones", func(n int, frame string, send func(string)) {
			if n < 20 {
				send(frame)
			}
		}, missing},
		{"repeats one", func(n int, frame string, send func(string)) {
			send(frame)
			if n == 7 {
				send(frame)
			}
		}, func(c measure.Checks) int64 { return c.Duplicated }},
		{"mixes two up", func(n int, frame string, send func(string)) {
			switch n {
			case 7:
				held = frame
			case 8:
				send(frame)
				send(held)
			default:
				send(frame)
			}
		}, func(c measure.Checks) int64 { return c.Reordered }},
		{"makes one up", func(n int, frame string, send func(string)) {
			send(frame)
			if n == 7 {
				send(strings.Replace(frame, "b1:0:", "b1:9:", 1))
			}
		}, func(c measure.Checks) int64 { return c.Unknown }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t, tc.wrong)
			all, err := results(t, "broadcast", "--addr", f.Listener.Addr().String(), "--subscribers", "5", "--publishers", "1",
				"--rate", "200", "--duration", "200ms", "--warmup", "0", "--drain", "200ms")
			if len(all) != 1 {
				t.Fatalf("%d results, error %v", len(all), err)
			}
			checks := all[0].Checks
			if tc.count == nil {
				if err != nil || !checks.OK() || checks.Delivered != checks.Expected || checks.Delivered == 0 {
					t.Fatalf("error %v, checks %+v", err, checks)
				}
			} else if err == nil || checks.OK() || tc.count(checks) == 0 {
				t.Fatalf("error %v, checks %+v", err, checks)
			}
		})
	}
}

// A refused publish is an error, and no delivery of it is missing.
func TestRefusingServer(t *testing.T) {
	f := newFake(t, func(_ int, frame string, send func(string)) { send(frame) })
	f.refuse = 5
	all, err := results(t, "broadcast", "--addr", f.Listener.Addr().String(), "--subscribers", "5", "--rate", "0", "--inflight", "2",
		"--duration", "200ms", "--warmup", "0", "--drain", "200ms")
	if err == nil || len(all) != 1 || !all[0].Checks.OK() || all[0].Checks.Delivered == 0 {
		t.Fatalf("error %v, results %+v", err, all)
	}
	if text := strings.Join(all[0].Errors, " "); !strings.Contains(text, "status 503") {
		t.Errorf("errors %q", text)
	}
}

// A server that stops answering is told from one that is slow when the time to drain is over, and holds nothing up for longer.
func TestSilentServer(t *testing.T) {
	silent := make(chan struct{})
	f := newFake(t, func(n int, frame string, send func(string)) {
		send(frame)
		if n > 5 {
			<-silent
		}
	})
	t.Cleanup(func() { close(silent) })
	begun := time.Now()
	all, err := results(t, "broadcast", "--addr", f.Listener.Addr().String(), "--subscribers", "5", "--publishers", "2", "--rate", "200",
		"--duration", "200ms", "--warmup", "0", "--drain", "200ms")
	if err == nil || len(all) != 1 || all[0].Checks.Delivered == 0 {
		t.Fatalf("error %v, results %+v", err, all)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	text := strings.Join(all[0].Errors, " ")
	if !strings.Contains(text, "no answer when the time to drain was over") || !strings.Contains(text, "requests were due and never sent") {
		t.Errorf("errors %q", text)
	}
}
