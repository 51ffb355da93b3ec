package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// flight is how long before the end of a connection an event may have been answered and yet be on its way through Redis.
const flight = 100 * time.Millisecond

// verdict is what all of them saw.
type verdict struct {
	clients, visits   int
	published, failed int
	received          int
	missed, twice     int
	inFlight          int           // answered in the last moment of a connection and not received
	lastMoment        time.Duration // the longest of those
	away              []time.Duration
	codes             map[int]int // how connections ended during the restart
	refused           int         // attempts to connect that failed
	removed, added    int         // members, during the restart
	never             int         // clients that did not move
}

// judge compares what was published with what each client got. began and ended enclose the restart.
func judge(all []*client, p *publisher, began, ended time.Time) *verdict {
	v := &verdict{clients: len(all), published: len(p.events), codes: map[int]int{}}
	for _, e := range p.events {
		if !e.ok {
			v.failed++
		}
	}
	for _, c := range all {
		v.refused += c.failed
		v.removed += within(c.removed, began, ended)
		v.added += within(c.added, began, ended)
		v.visits += len(c.visits)
		if len(c.visits) == 1 {
			v.never++
		}
		for i, visit := range c.visits {
			v.judgeVisit(visit, p.events, ended)
			if i > 0 {
				v.away = append(v.away, visit.subscribed.Sub(c.visits[i-1].ended))
				v.codes[c.visits[i-1].code]++
			}
		}
	}
	slices.Sort(v.away)
	return v
}

// judgeVisit wants each event that was published between the subscription and the end, once.
func (v *verdict) judgeVisit(visit *visit, events []published, end time.Time) {
	if visit.ended.Before(end) {
		end = visit.ended
	}
	got := map[int]int{}
	last := -1
	for _, n := range visit.events {
		got[n]++
		last = max(last, n)
	}
	v.received += len(visit.events)
	for n, e := range events {
		switch {
		case got[n] > 1:
			v.twice++
		case got[n] == 1 || !e.ok || e.began.Before(visit.subscribed) || e.answered.After(end):
		case n > last && e.answered.Add(flight).After(end):
			v.inFlight++
			v.lastMoment = max(v.lastMoment, end.Sub(e.answered))
		default:
			v.missed++
		}
	}
}

func within(times []time.Time, began, ended time.Time) int {
	n := 0
	for _, at := range times {
		if at.After(began) && at.Before(ended) {
			n++
		}
	}
	return n
}

// print tells the verdict and returns an error if somebody missed something.
func (v *verdict) print() error {
	fmt.Printf("\n  Events      %d published, %d of them failed; %d deliveries to %d clients\n", v.published, v.failed, v.received, v.clients)
	fmt.Printf("  Missed      %d by a client while it was connected; %d came twice; %d were on their way when a connection ended,\n              published at most %v before\n", v.missed, v.twice, v.inFlight, v.lastMoment.Round(time.Millisecond/10))
	fmt.Printf("  Moved       %d times, with close codes %v (0: none); %d clients never; %d attempts to connect failed\n", len(v.away), v.codes, v.never, v.refused)
	if n := len(v.away); n > 0 {
		at := func(q float64) time.Duration { return v.away[min(n-1, int(q*float64(n)))].Round(time.Millisecond / 10) }
		fmt.Printf("  Away        p50 %v, p99 %v, max %v, from the close to the last subscription\n", at(0.5), at(0.99), v.away[n-1].Round(time.Millisecond/10))
	}
	fmt.Printf("  Presence    %d times somebody saw a member leave, %d times one join\n\n", v.removed, v.added)
	var wrong []error
	for text, n := range map[string]int{"events were missed": v.missed, "events came twice": v.twice, "members were seen to leave": v.removed, "publishes failed": v.failed} {
		if n > 0 {
			wrong = append(wrong, fmt.Errorf("%d %s", n, text))
		}
	}
	return errors.Join(wrong...)
}
