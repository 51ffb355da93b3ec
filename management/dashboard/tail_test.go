package dashboard_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"reverb/server"
)

// batch is one message of the stream.
type batch struct {
	Events []struct {
		Event, Channel, Data string
		Reached              bool
		Size                 int
	}
	Dropped int64
}

// viewer reads a stream within the process.
type viewer struct {
	mu     sync.Mutex
	header http.Header
	status int
	text   strings.Builder
}

func (v *viewer) Header() http.Header    { return v.header }
func (v *viewer) WriteHeader(status int) { v.status = status }
func (v *viewer) Flush()                 {}
func (v *viewer) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.text.Write(p)
}

func (v *viewer) batches(t *testing.T) (all []batch) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	lines := bufio.NewScanner(strings.NewReader(v.text.String()))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var b batch
			if err := json.Unmarshal([]byte(data), &b); err != nil {
				t.Fatalf("%v in %s", err, data)
			}
			all = append(all, b)
		}
	}
	return all
}

// view opens a stream; end closes it.
func (n *node) view(path string) (v *viewer, end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/"+path, nil)
	r.RemoteAddr = "127.0.0.1:1"
	v = &viewer{header: http.Header{}}
	var done sync.WaitGroup
	done.Go(func() { n.handler.ServeHTTP(v, r) })
	return v, func() { cancel(); done.Wait() }
}

func (n *node) publish(app, event, data string, names ...string) {
	n.t.Helper()
	if err := n.server.Publish(context.Background(), n.server.App(app), server.Publication{Event: event, Data: data, Channels: names}); err != nil {
		n.t.Fatal(err)
	}
}

func TestTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, false)
		n.client("key", 1, "news")
		all, endAll := n.view("api/apps/1/tail")
		some, endSome := n.view("api/apps/1/tail?q=needle")
		synctest.Wait()
		n.publish("1", "shipped", `{"id":1}`, "news", "nobody")
		n.publish("1", "other", `a needle here`, "news")
		n.publish("2", "foreign", `{}`, "news")
		time.Sleep(time.Second)
		endAll()
		endSome()

		got := all.batches(t)
		if len(got) != 1 || len(got[0].Events) != 3 {
			t.Fatalf("got %+v", got)
		}
		first, second := got[0].Events[0], got[0].Events[1]
		if first.Event != "shipped" || first.Data != `{"id":1}` || first.Channel != "news" || !first.Reached || first.Size != 8 {
			t.Errorf("got %+v", first)
		}
		if second.Channel != "nobody" || second.Reached {
			t.Errorf("got %+v", second)
		}
		if got := some.batches(t); len(got) != 1 || len(got[0].Events) != 1 || got[0].Events[0].Event != "other" {
			t.Errorf("filtered: %+v", got)
		}
	})
}

func TestTailIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, false)
		v, end := n.view("api/apps/1/tail")
		synctest.Wait()
		for i := range 1000 {
			n.publish("1", "flood", fmt.Sprint(i), "news")
		}
		for range 10 {
			n.publish("1", "large", strings.Repeat("x", 1<<20), "news")
		}
		time.Sleep(time.Second)
		end()
		shown, dropped := 0, int64(0)
		for _, b := range v.batches(t) {
			shown += len(b.Events)
			dropped += b.Dropped
			for _, e := range b.Events {
				if len(e.Data) > 2048 {
					t.Errorf("%d bytes of data are shown", len(e.Data))
				}
			}
		}
		if shown != 200 || dropped != 810 {
			t.Errorf("%d shown and %d left out, want 200 and 810", shown, dropped)
		}
	})
}

func TestTailHasSoManyViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, false)
		var ends []func()
		for range 16 {
			_, end := n.view("api/apps/1/tail")
			ends = append(ends, end)
		}
		synctest.Wait()
		late, end := n.view("api/apps/1/tail")
		end()
		if late.status != http.StatusServiceUnavailable {
			t.Errorf("the seventeenth viewer: status %d, want 503", late.status)
		}
		n.page.Close() // ends those that are left
		synctest.Wait()
		for _, end := range ends {
			end()
		}
	})
}

func TestTailEndsWithTheLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &browser{node: start(t, true)}
		b.login(user, password)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b.do(http.MethodGet, "api/apps/1/tail", "")
		}()
		time.Sleep(time.Minute)
		select {
		case <-ended:
			t.Fatal("the stream ended by itself")
		default:
		}
		b.do(http.MethodPost, "api/logout", "")
		<-ended
	})
}

// While nobody looks, publishing to nobody costs nothing but the look-up.
func TestNobodyLooks(t *testing.T) {
	n := start(t, false)
	conf := n.server.App("1")
	p := server.Publication{Event: "e", Data: "d", Channels: []string{"nobody"}}
	publish := func() {
		if err := n.server.Publish(context.Background(), conf, p); err != nil {
			t.Fatal(err)
		}
	}
	if got := testing.AllocsPerRun(100, publish); got != 0 {
		t.Errorf("%v allocations without a viewer, want none", got)
	}
	_, end := n.view("api/apps/1/tail")
	end()
	if got := testing.AllocsPerRun(100, publish); got != 0 {
		t.Errorf("%v allocations after the last viewer has gone, want none", got)
	}
}
