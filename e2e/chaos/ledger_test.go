package chaos_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"reverb/internal/testclient"
)

// stream is what one process was asked to publish to one channel: numbers from 0 on.
type stream struct {
	node    int // number of the process
	channel string
}

// sending is one event.
type sending struct {
	at       time.Time
	accepted bool // 200; else nobody knows
}

// ledger is what was published.
type ledger struct {
	mu      sync.Mutex
	streams map[stream][]sending
}

func newLedger() *ledger { return &ledger{streams: map[stream][]sending{}} }

// begin notes an event that is about to be published and returns its number.
func (l *ledger) begin(s stream) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams[s] = append(l.streams[s], sending{at: time.Now()})
	return len(l.streams[s]) - 1
}

func (l *ledger) accept(s stream, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams[s][n].accepted = true
}

// last is the number of the last event that was accepted, -1 if there is none.
func (l *ledger) last(s stream) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := len(l.streams[s]) - 1; n >= 0; n-- {
		if l.streams[s][n].accepted {
			return n
		}
	}
	return -1
}

// of are the streams to a channel.
func (l *ledger) of(channel string) []stream {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []stream
	for s := range l.streams {
		if s.channel == channel {
			found = append(found, s)
		}
	}
	return found
}

// listener is one subscriber, which keeps what it gets.
type listener struct {
	slot, node int
	channel    string
	c          *testclient.Client

	mu    sync.Mutex
	got   map[int][]int // numbers by node that published
	wrong []string
}

func listen(t testing.TB, s *site, slot int, channel string) *listener {
	t.Helper()
	l := &listener{slot: slot, node: s.node(slot).number, channel: channel, c: s.connect(t, slot), got: map[int][]int{}}
	l.c.Join(secret, channel, "")
	go func() {
		for {
			text, open := next(l.c)
			if !open {
				return
			}
			l.take(text)
		}
	}()
	return l
}

func (l *listener) take(text string) {
	var e testclient.Event
	var data string
	if json.Unmarshal([]byte(text), &e) != nil || e.Event != "e" || json.Unmarshal(e.Data, &data) != nil {
		return
	}
	from, number, _ := strings.Cut(data, "/")
	node, err1 := strconv.Atoi(from)
	n, err2 := strconv.Atoi(number)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err1 != nil || err2 != nil || e.Channel != l.channel {
		l.wrong = append(l.wrong, "unknown message "+text)
		return
	}
	if had := l.got[node]; len(had) > 0 && had[len(had)-1] >= n {
		l.wrong = append(l.wrong, fmt.Sprintf("%d of node %d came after %d", n, node, had[len(had)-1]))
	}
	l.got[node] = append(l.got[node], n)
}

// latest is the number of the last event of a node, -1 if there is none.
func (l *listener) latest(node int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if had := l.got[node]; len(had) > 0 {
		return had[len(had)-1]
	}
	return -1
}

// missed are the accepted events of a stream that never came: those before one that did, and those after. doubtful is how many of the first
// kind may not have been published at all.
func (l *listener) missed(books *ledger, s stream) (gaps, tail []sending, doubtful int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	books.mu.Lock()
	defer books.mu.Unlock()
	came := map[int]bool{}
	last := -1
	for _, n := range l.got[s.node] {
		came[n] = true
		last = max(last, n)
	}
	for n, one := range books.streams[s] {
		switch {
		case came[n]:
		case !one.accepted && n < last:
			doubtful++
		case !one.accepted:
		case n < last:
			gaps = append(gaps, one)
		default:
			tail = append(tail, one)
		}
	}
	return gaps, tail, doubtful
}
