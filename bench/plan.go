package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"reverb/bench/report"
)

// plan is what one command is to do: every run against every server, so many rounds of it.
type plan struct {
	servers  []Server // one, or two that are compared
	runs     []Settings
	rounds   int
	terminal io.Writer // where bars and what is being done are shown; nil: nowhere
}

// do carries the plan out and returns the results for each server, in the order of the runs. soft ends the run at hand, whose result is
// still returned, and leaves the others out; hard ends everything.
func (p plan) do(soft, hard context.Context) ([][]report.Result, error) {
	results := make([][]report.Result, len(p.servers))
	var errs []error
	for _, set := range p.runs {
		rounds := make([][]report.Result, len(p.servers))
		for round := range p.rounds {
			for _, n := range p.order(round) {
				if soft.Err() != nil {
					break
				}
				p.announce(set, p.servers[n], round)
				result, err := p.once(soft, hard, p.servers[n], set)
				if errors.Is(err, errCredentials) {
					return results, err
				}
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", set.title(), err))
					continue
				}
				if err := failed(result); err != nil {
					errs = append(errs, err)
				}
				rounds[n] = append(rounds[n], result)
			}
		}
		for n := range rounds {
			switch len(rounds[n]) {
			case 0:
			case 1:
				results[n] = append(results[n], rounds[n][0])
			default:
				results[n] = append(results[n], report.Median(rounds[n]))
			}
		}
	}
	return results, errors.Join(errs...)
}

// order is the servers' turn in a round: the last one is first in the next, so that a machine that warms up or slows down favours none.
func (p plan) order(round int) []int {
	turn := make([]int, len(p.servers))
	for n := range turn {
		turn[n] = n
	}
	if round%2 == 1 {
		slices.Reverse(turn)
	}
	return turn
}

func (p plan) announce(set Settings, server Server, round int) {
	if p.terminal == nil {
		return
	}
	of := ""
	if p.rounds > 1 {
		of = fmt.Sprintf(", round %d of %d", round+1, p.rounds)
	}
	_, _ = fmt.Fprintf(p.terminal, "%s: %s%s\n", cmp.Or(server.Name, server.Spawn, server.Addr), set.title(), of)
}

// once makes one run; the error is of what came before it.
func (p plan) once(soft, hard context.Context, server Server, set Settings) (report.Result, error) {
	sc, err := scenarioNamed(set.Scenario)
	if err != nil {
		return report.Result{}, err
	}
	if server.Spawn != "" {
		var c *child
		if c, server, err = spawn(soft, server); err != nil {
			return report.Result{}, err
		}
		defer c.stop()
	}
	if err := introduce(soft, server); err != nil {
		return report.Result{}, err
	}
	limited, cancel := context.WithTimeout(soft, set.longest())
	defer cancel()
	r, err := newRig(hard, server, set, p.terminal)
	if err != nil {
		return report.Result{}, err
	}
	err = sc.run(limited, r)
	if err == nil {
		err = limited.Err()
	}
	return r.finish(err), nil
}
