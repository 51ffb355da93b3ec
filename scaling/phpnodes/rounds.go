package phpnodes

import (
	"crypto/rand"
	"sync"
)

// rounds are the questions of this node that wait for answers. Answers of PHP nodes do not say whose they are, so they are counted: Redis
// tells how many received the question. All methods may be called from any goroutine.
//
// Somebody who receives and never answers (a stopped node, or somebody who only listens in) is waited for once, and again when a late
// answer shows that there is nobody so slow any more.
type rounds struct {
	mu sync.Mutex
	// Guarded by mu.
	open   map[string]*round
	late   map[string]struct{} // keys of rounds that ended without all answers
	silent int                 // receivers that did not answer the last time
	closed bool
}

// round is one question. It is guarded by the mutex of rounds, but key and done.
type round struct {
	key       string        // constant
	done      chan struct{} // closed when there is nothing more to wait for
	receivers int           // -1: Redis has not told
	answered  int
	answers   [][]byte // payloads, JSON; without those that have nothing to say
	bytes     int
	ended     bool
}

const (
	maxRounds = 1024     // questions at a time
	maxLate   = 64       // ended questions that are remembered
	maxBytes  = 64 << 20 // of the answers to one question
)

func newRounds() *rounds {
	return &rounds{open: make(map[string]*round), late: make(map[string]struct{})}
}

// begin opens a round with a new key; nil when there are too many.
func (s *rounds) begin() *round {
	rd := &round{key: rand.Text()[:keySize], receivers: -1, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.open) >= maxRounds {
		return nil
	}
	s.open[rd.key] = rd
	return rd
}

// told notes how many received the question; with an error nobody did. It may come after the last answer: both events test the end.
func (s *rounds) told(rd *round, receivers int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rd.receivers = receivers
	if err != nil {
		rd.receivers = 0
	}
	s.testLocked(rd)
}

// take notes an answer; payload is nil when it says nothing.
func (s *rounds) take(key string, payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rd := s.open[key]
	if rd == nil {
		if _, ok := s.late[key]; ok && s.silent > 0 {
			s.silent--
		}
		return
	}
	rd.answered++
	if len(payload) > len(emptyList) && rd.bytes+len(payload) <= maxBytes {
		rd.answers = append(rd.answers, payload)
		rd.bytes += len(payload)
	}
	s.testLocked(rd)
}

func (s *rounds) testLocked(rd *round) {
	if rd.receivers >= 0 && rd.answered >= rd.receivers-s.silent && !rd.ended {
		rd.ended = true
		close(rd.done)
	}
}

// end closes the round and returns its answers, how many nodes have answered, and how many have not.
func (s *rounds) end(rd *round) (answers [][]byte, answered, missing int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, rd.key)
	if rd.receivers < 0 {
		return rd.answers, rd.answered, 1 // Redis did not even say that it has the question
	}
	missing = max(0, rd.receivers-rd.answered)
	if rd.receivers > 0 {
		s.silent = missing
	}
	if missing > 0 {
		if len(s.late) >= maxLate {
			clear(s.late)
		}
		s.late[rd.key] = struct{}{}
	}
	return rd.answers, rd.answered, missing
}

// close lets nobody wait any more.
func (s *rounds) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, rd := range s.open {
		if !rd.ended {
			rd.ended = true
			close(rd.done)
		}
	}
}
